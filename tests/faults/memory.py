"""The kernel's own answer to a lack of memory: a role in a memory cgroup, whose limit is lowered until it kills."""

import errno
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.instance import wait_for
from tests.faults.deployment import Deployment

_MOUNT = Path("/sys/fs/cgroup")
_NAME = "nafuda-faults"
_LITTLE = 1 << 20  # bytes
_EACH = 4  # images, each time that the limit is lowered: who works asks for memory
_JOIN = 'echo $$ > "$0" && exec "$@"'


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A memory cgroup, by the names that its version has for its files. unlimited: the word for it."""

    folder: Path
    limit: str
    used: str
    events: str
    unlimited: str

    def lower(self) -> None:
        """Allow far too little: version 2 kills. Version 1 takes back what it can, and refuses; then no more is allowed
        than what is left, and whoever asks for more is killed."""
        if not self._allow(str(_LITTLE)):
            self._allow((self.folder / self.used).read_text("ascii"))

    def lift(self) -> None:
        """Allow everything again."""
        self._allow(self.unlimited)

    def kills(self) -> int:
        """How many processes of it the kernel has killed for memory."""
        lines = (self.folder / self.events).read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def remove(self) -> bool:
        """True once it is gone; not while a process in it still ends."""
        return _done(self.folder.rmdir)

    def _allow(self, limit: str) -> bool:
        return _done(lambda: (self.folder / self.limit).write_text(limit, "ascii"))


def _done(change: Callable[[], object]) -> bool:
    """False where the kernel says that something is in use."""
    try:
        change()
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


def missing(mount: Path = _MOUNT) -> str:
    """Why no process can be put into a memory cgroup here, or ""."""
    try:
        with memory_group(mount):
            return ""
    except OSError as error:
        return f"no memory cgroup can be made ({error}); run it as root, where {mount} is writable"


@contextmanager
def memory_group(mount: Path = _MOUNT) -> Iterator[MemoryGroup]:
    """A new one, below the mounted root; removed in the end. OSError where that is not allowed."""
    if (mount / "memory").is_dir():
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control", "-1")
        group = MemoryGroup(mount / "memory" / _NAME, *names)
    else:
        group = MemoryGroup(mount / _NAME, "memory.max", "memory.current", "memory.events", "max")
    group.folder.mkdir(exist_ok=True)
    try:
        group.lift()  # no such file where the memory of groups is not accounted
        yield group
    finally:
        wait_for(group.remove, 60)


def killed_for_memory(role: str, site: Deployment, seconds: float) -> None:
    """The kernel kills a role's process for memory twice: at work, and again while it takes up what it left."""
    child = site.roles.children[role]
    before = child.command
    with memory_group() as group:
        child.command = ["sh", "-c", _JOIN, str(group.folder / "cgroup.procs"), *before]
        site.roles.renew(role)
        try:
            for _ in range(2):
                time.sleep(seconds / 2)
                _until_killed(role, site, group)
        finally:
            group.lift()
            child.command = before
            site.roles.renew(role)


def _until_killed(role: str, site: Deployment, group: MemoryGroup) -> None:
    process, kills = site.roles.children[role].process, group.kills()
    assert process is not None, role

    def ended() -> bool:
        group.lower()
        site.uploads.put(_EACH)
        return process.returncode is not None  # its supervisor asks

    wait_for(ended, 60, site.roles.tell)
    group.lift()
    assert group.kills() > kills and process.returncode == -signal.SIGKILL, f"{role} ended with {process.returncode}"
    wait_for(lambda: site.roles.pid(role) != process.pid, 60, site.roles.tell)
