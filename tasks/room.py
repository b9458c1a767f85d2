"""How much of what may wait is at work at once in a process: what is wanted now finds threads and models free."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

# A chunk that may wait should not take longer: so long somebody's image may stand behind it.
LONG = timedelta(seconds=1)
LEAST = 4  # subjects


@dataclass(slots=True)
class _Queue:
    """How many chunks of a queue are at work, and how large the next may be."""

    share: int
    at_work: int = 0


class Room:
    """Places for backfill. Its chunks shrink until each is done in a second, and grow while they are done in less.

    Where a full chunk is done in a moment (on a large device), backfill may take all threads of the process but one;
    else two chunks a queue: one is decoded while the other is on the device.
    """

    def __init__(self, threads: int, chunk: int, clock: Callable[[], float] = time.monotonic) -> None:
        """threads: of the process. chunk: subjects of a full one. clock: seconds."""
        self._clock = clock
        self._most = max(1, threads - 1)
        self._chunk = chunk
        self._queues: dict[str, _Queue] = {}
        self._lock = threading.Lock()

    @contextmanager
    def place(self, queue: str) -> Iterator[int]:
        """A place for a chunk of so many subjects; 0 when there is none: whoever has one goes on with the rest."""
        with self._lock:
            own = self._queues.setdefault(queue, _Queue(-(-self._chunk // 2)))
            share = own.share if self._is_free(own) else 0
            own.at_work += share > 0
        started = self._clock()
        try:
            yield share
        finally:
            if share:
                self._left(own, share, self._clock() - started)

    def _is_free(self, own: _Queue) -> bool:
        here = self._most if own.share == self._chunk else 2
        return own.at_work < here and sum(each.at_work for each in self._queues.values()) < self._most

    def _left(self, own: _Queue, share: int, seconds: float) -> None:
        """Learn from it, but only once of chunks that were begun at the same size."""
        with self._lock:
            own.at_work -= 1
            if share == own.share:
                if seconds > LONG.total_seconds():
                    own.share = max(min(LEAST, self._chunk), share // 2)
                elif seconds < LONG.total_seconds() / 4:
                    own.share = min(self._chunk, share * 2)
