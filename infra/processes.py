"""What processes of ours need from the operating system, and the one place that knows its peculiarities."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that makes the kernel signal the child when its parent dies (Linux; None elsewhere)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the request was made
            os.kill(os.getpid(), number)

    return ask


def run_as_batch() -> None:
    """Have the kernel treat this thread, and all threads and processes that it starts from now on, as working in bulk.

    SCHED_BATCH: they have the share of the processor that they had before, but when they wake up, they let finish its
    time slice who is at work. Nothing happens where somebody chose another policy, or this one is not allowed.
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
