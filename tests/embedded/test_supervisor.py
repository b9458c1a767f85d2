"""The supervisor of `nafuda run`: what dies is brought back, however often."""

import os
import signal
import threading
from datetime import timedelta
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


def test_a_child_that_was_brought_back_is_asked_to_end_once(tmp_path: Path) -> None:
    """Asked twice it would not drain: the kernel asks what a thread started when that thread ends (R77)."""
    asked, up = tmp_path / "asked", tmp_path / "up"
    script = f"trap 'echo once >> {asked}' TERM; echo up >> {up}; while [ ! -e {tmp_path}/end ]; do sleep 0.05; done"
    child = Child("worker", ["sh", "-c", script], {"PATH": "/bin:/usr/bin"}, tmp_path / "log")
    supervisor, stop, ended = Supervisor([child]), threading.Event(), threading.Event()
    supervisor.start()
    watcher = threading.Thread(target=supervisor.watch, args=(stop, ended))
    watcher.start()
    wait_for(lambda: up.exists() and len(up.read_text().split()) == 1, 10)
    assert child.process is not None
    os.killpg(child.process.pid, signal.SIGKILL)
    wait_for(lambda: len(up.read_text().split()) == 2, 10)
    stop.set()
    stopping = threading.Thread(target=supervisor.stop, args=(timedelta(seconds=10),))
    stopping.start()
    watcher.join(1)
    wait_for(asked.exists, 10)
    (tmp_path / "end").touch()
    stopping.join()
    assert asked.read_text().split() == ["once"]
    ended.set()
    watcher.join()
    assert child.process.returncode == 0
