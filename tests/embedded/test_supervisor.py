"""The supervisor of `nafuda run`: what dies is brought back, however often."""

from pathlib import Path

from infra.embedded.supervisor import Child, Supervisor
from tests.e2e.instance import wait_for


def test_a_child_that_has_died_for_days_is_still_tried_again(tmp_path: Path) -> None:
    """R42: two to the power of its deaths would be no number any more."""
    child = Child("broken", ["false"], {"PATH": "/bin:/usr/bin"}, tmp_path / "log", deaths=5_000)
    child.start()
    wait_for(lambda: not child.running, 10)
    supervisor = Supervisor([child])
    supervisor.watch_once()
    assert child.deaths == 5_001
    child.again_at = 0.001  # its pause is over
    before = child.process
    supervisor.watch_once()
    assert child.process is not before
    assert child.process is not None
    child.process.wait()
