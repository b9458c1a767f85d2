"""Whatever breaks, nothing is lost or doubled: the shortened round (R42, R71, R72, R73, R74, R77)."""

import signal
import time
from pathlib import Path

import pytest

from tests.faults.deployment import ROLES, Deployment, deployment
from tests.faults.faults import FAULTS
from tests.faults.health import missing
from tests.faults.rounds import meet

pytestmark = pytest.mark.stack

UPLOADS, SECONDS = 6, 2.5  # during each fault; `make chaos` does more of both, and more faults


def test_bucket_records_and_index_agree_after_every_fault(tmp_path: Path) -> None:
    brief = [fault for fault in FAULTS if fault.brief]
    with deployment(tmp_path) as site:
        assert _standing_still(site) == {words[0] for words in ROLES}
        met = meet(site, brief, UPLOADS, SECONDS, print, brief=True)
        logs = {name: child.log.read_text("utf-8", errors="replace") for name, child in site.roles.children.items()}
        secret = site.stack.place.password  # of the database, the broker and the store
    assert [name for name, log in logs.items() if secret in log] == []  # R77
    assert [each.fault for each in met if not each.count.sound] == []
    assert met[-1].count.uploaded > UPLOADS * len(brief)


def _standing_still(site: Deployment) -> set[str]:
    """The roles that are noticed when all stand still: what nobody would notice, no fault could find."""
    for role in site.roles.children:
        site.roles.kill(role, signal.SIGSTOP)
    try:
        time.sleep(site.services.settings.silent.total_seconds())
        said = missing(site)
        assert any(line.startswith("encode: ") for line in said), said
        return {line.split()[0].rstrip(":") for line in said}
    finally:
        for role in site.roles.children:
            site.roles.kill(role, signal.SIGCONT)
