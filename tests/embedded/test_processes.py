"""What processes ask of the operating system."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

_SAYS = """
import os, subprocess, sys, threading
from infra.processes import run_as_batch
run_as_batch()
said = [os.sched_getscheduler(0)]
thread = threading.Thread(target=lambda: said.append(os.sched_getscheduler(0)))
thread.start()
thread.join()
below = "import os; print(os.sched_getscheduler(0))"
print(*said, subprocess.check_output([sys.executable, "-c", below], text=True).strip())
"""


def _policies(chosen: int) -> set[int]:
    """Of a process that asks to run as batch work, of a thread and a process that it starts. chosen: its own before."""

    def choose() -> None:
        os.sched_setscheduler(0, chosen, os.sched_param(0))

    return set(map(int, _in_thread(lambda: subprocess.check_output([sys.executable, "-c", _SAYS], text=True), choose)))


def _in_thread(say: Callable[[], str], first: Callable[[], None]) -> list[str]:
    """What is said by a thread that did something first: a policy is a thread's own, and goes to what it starts."""
    said: list[str] = []

    def run() -> None:
        first()
        said.extend(say().split())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return said


@pytest.mark.parametrize(
    ("chosen", "then"),
    [(os.SCHED_OTHER, os.SCHED_BATCH), (os.SCHED_IDLE, os.SCHED_IDLE)],
    ids=["what was common becomes batch work", "what somebody chose stays"],
)
def test_work_in_bulk_says_so_for_all_that_it_starts(chosen: int, then: int) -> None:
    assert _policies(chosen) == {then}
