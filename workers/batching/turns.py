"""Turns: models on the same cores work on the oldest images first, instead of all of them at once.

Left to the operating system, each of seven models gets the same share of two cores; the slowest falls behind the others
and ends alone with its backlog, on one core, while nobody has anything for the other.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta


class Turns:
    """So many batches at once; of those that wait, the one whose images came first is next. For any thread.

    A batch that takes longer than `patience` counts no more: a slow model, or one that hangs, must not hold up the
    quick ones, so beyond that the operating system shares the cores after all.
    """

    def __init__(self, places: int, patience: timedelta = timedelta(seconds=1)) -> None:
        """places: at least 1, the cores there are for batches of one thread each."""
        if places < 1:
            raise ValueError(f"places: expected 1 or more, got {places}")
        self._places = places
        self._patience = patience.total_seconds()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int]] = []  # a heap: since, number
        self._begun: dict[int, float] = {}  # number: when its turn began
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, since: float) -> Iterator[None]:
        """Wait for a place and hold it. since: `time.monotonic()` when the batch's first image came."""
        mine = (since, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, mine)
            while (wait := self._wait(mine)) is None or wait > 0:
                self._changed.wait(wait)
            heapq.heappop(self._waiting)
            self._begun[mine[1]] = time.monotonic()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                del self._begun[mine[1]]
                self._changed.notify_all()

    def _wait(self, mine: tuple[float, int]) -> float | None:
        """Seconds until a place may be free for this batch, 0 when one is; None: until something changes."""
        if self._waiting[0] != mine:
            return None
        now = time.monotonic()
        counted = sorted(ends for begun in self._begun.values() if (ends := begun + self._patience) > now)
        return 0 if len(counted) < self._places else counted[len(counted) - self._places] - now
