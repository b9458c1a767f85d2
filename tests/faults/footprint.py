"""What the roles' processes hold in memory: what waits during an outage must not pile up there."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.instance import wait_for
from tests.faults.deployment import Deployment
from tests.faults.roles import Roles

_KB = 1 << 10  # in a MiB
_HOLD_PICTURES = ("ingest", "vision", "language")
_WARM = 192  # images: five chunks at work, as many as a process takes at once, and one that waits
# What a fault may add to a process that has had full chunks at work. Roles that hold pictures: another chunk, decoded
# (3 MiB each), in another thread's arena. Others hold ids and documents. Pictures that waited there would exceed it.
_CHUNK, _OTHER = 256, 96  # MiB


@dataclass(frozen=True, slots=True)
class Growth:
    """What a role's process gained; mib: resident, rounded."""

    role: str
    mib: int

    def __str__(self) -> str:
        return f"{self.mib:+} ({self.role})"

    @property
    def bounded(self) -> bool:
        """It did not gain more than work takes."""
        return self.mib <= (_CHUNK if self.role in _HOLD_PICTURES else _OTHER)


def warm(site: Deployment) -> None:
    """Let full chunks be at work once: models and allocators take their memory then. Returns before they are done."""
    for role in ("vision", "language"):
        site.roles.kill(role, signal.SIGSTOP)
    try:
        site.uploads.put(_WARM)
        wait_for(lambda: _waiting(site) > _WARM / 2, 60, site.roles.tell)
    finally:
        for role in ("vision", "language"):
            site.roles.kill(role, signal.SIGCONT)


def resident(roles: Roles) -> dict[str, int]:
    """MiB of each role's own process, without its decoders."""
    return {name: _resident(roles.pid(name)) for name in roles.children}


def growths(before: dict[str, int], after: dict[str, int], warm: dict[str, int]) -> list[Growth]:
    """Of each role, the largest first: beyond what it had before, or a warm process of it, whichever was more. Who was
    replaced before and is warm now has gained nothing."""
    found = (Growth(role, after[role] - max(before[role], warm[role])) for role in before)
    return sorted(found, key=lambda each: each.mib, reverse=True)


def _waiting(site: Deployment) -> int:
    return sum(each.count for each in site.services.work.counts() if each.stage == "tagging")


def _resident(pid: int) -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text("ascii"), re.MULTILINE)
    assert found is not None, f"process {pid} ended"
    return int(found[1]) // _KB
