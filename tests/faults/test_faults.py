"""Whatever breaks, nothing is lost or doubled: the shortened round (R42, R71, R72, R73, R74, R77)."""

from pathlib import Path

import pytest

from tests.faults.deployment import deployment
from tests.faults.faults import FAULTS
from tests.faults.rounds import meet

pytestmark = pytest.mark.stack

UPLOADS, SECONDS = 6, 3.0  # during each fault; `make chaos` does more of both, and more faults


def test_bucket_records_and_index_agree_after_every_fault(tmp_path: Path) -> None:
    brief = [fault for fault in FAULTS if fault.brief]
    with deployment(tmp_path) as site:
        met = meet(site, brief, UPLOADS, SECONDS, print)
    assert [each.fault for each in met if not each.count.sound] == []
    assert met[-1].count.uploaded > UPLOADS * len(brief)
