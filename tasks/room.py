"""How much of what may wait is at work at once in a process: what is wanted now finds threads and models free."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

# A chunk that may wait should not take longer: so long somebody's image may stand behind it.
LONG = timedelta(seconds=1)
LEAST = 4  # subjects
COMING = timedelta(seconds=2)  # from the hint to a queue that was refused until its round asks again


@dataclass(slots=True)
class Place:
    """Where a chunk of up to `share` subjects may be worked on; 0: there is no place. taken: how many it has."""

    share: int
    taken: int = 0


@dataclass(slots=True)
class _Kind:
    """Chunks of stages that are claimed together: how large the next may be, and how many are at work.

    refused: since when it wants another place. until: so long that holds.
    """

    queue: str
    share: int
    at_work: int = 0
    refused: float = math.inf
    until: float = -math.inf


class Room:
    """Places for backfill. Its chunks shrink until each is done in a second, and grow while they are done in less.

    Where a full chunk is done in a moment (on a large device), backfill may take all threads of the process but one;
    else two chunks a kind: one is decoded while the other is on the device. A kind of which nothing is at work is given
    a place before others get another.
    """

    def __init__(self, threads: int, chunk: int, clock: Callable[[], float] = time.monotonic) -> None:
        """threads: of the process. chunk: subjects of a full one. clock: seconds."""
        self._clock = clock
        self._most = max(1, threads - 1)
        self._chunk = chunk
        self._kinds: dict[tuple[str, ...], _Kind] = {}
        self._lock = threading.Lock()

    @contextmanager
    def place(self, queue: str, stages: Sequence[str]) -> Iterator[Place]:
        """A place for a chunk of these stages, or none: whoever has one goes on with the rest."""
        with self._lock:
            own = self._kinds.setdefault(tuple(stages), _Kind(queue, -(-self._chunk // 2)))
            place = Place(own.share if self._given(own) else 0)
        started = self._clock()
        try:
            yield place
        finally:
            if place.share:
                self._left(own, place, self._clock() - started)

    def refused(self) -> list[str]:
        """Queues that found no place because of others: they are to be sent a hint when one was left."""
        with self._lock:
            now = self._clock()
            waiting = sorted(self._waiting(now), key=lambda kind: kind.refused)
            for kind in waiting:
                kind.until = min(kind.until, now + COMING.total_seconds())
            return list(dict.fromkeys(kind.queue for kind in waiting))

    def _given(self, own: _Kind) -> bool:
        if own.at_work >= (self._most if own.share == self._chunk else 2):
            return False
        now = self._clock()
        kept = sum(not kind.at_work and kind.refused < own.refused for kind in self._waiting(now))
        if sum(kind.at_work for kind in self._kinds.values()) + kept >= self._most:
            own.refused, own.until = min(own.refused, now), math.inf
            return False
        own.at_work += 1
        own.refused, own.until = math.inf, -math.inf
        return True

    def _waiting(self, now: float) -> list[_Kind]:
        return [kind for kind in self._kinds.values() if now < kind.until]

    def _left(self, own: _Kind, place: Place, seconds: float) -> None:
        """Learn from it, but only once of chunks that were begun at the same size: a small one tells of no larger."""
        with self._lock:
            own.at_work -= 1
            if place.taken and place.share == own.share:
                if seconds > LONG.total_seconds():
                    own.share = max(min(LEAST, self._chunk), own.share // 2)
                elif place.taken >= place.share and seconds < LONG.total_seconds() / 4:
                    own.share = min(self._chunk, own.share * 2)
