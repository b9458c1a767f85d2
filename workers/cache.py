"""Model inputs kept between ingest and the stages of the same process, so that an image is decoded once."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from workers.batching.batch import Prepared
from workers.steps.program import InputProgram

Inputs = Mapping[InputProgram, Prepared]


@dataclass(slots=True)
class _Kept:
    """One image's inputs, how many groups have yet to take them, and since when they are here."""

    inputs: Inputs
    left: int
    since: float


class InputCache:
    """Inputs by content (SHA-256). A miss costs a second decode, nothing else.

    When it is full new inputs are not kept, because old ones are wanted first: dropping those would make every
    image miss while ingest is ahead. Only inputs older than `keep` make room: their work was done elsewhere.
    """

    def __init__(self, limit: int = 192 * 2**20, takers: int = 1, keep: timedelta = timedelta(minutes=2)) -> None:
        """limit: bytes. takers: how many groups of this process take each image's inputs once."""
        self._limit, self._keep = limit, keep.total_seconds()
        self.takers = takers
        self._size = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, sha256: str, inputs: Inputs) -> None:
        """Keep the inputs of one image, if there is room."""
        now, size = time.monotonic(), _bytes(inputs)
        with self._lock:
            self._drop(sha256)
            while self._kept and self._size + size > self._limit:
                oldest, kept = next(iter(self._kept.items()))
                if now - kept.since < self._keep:
                    return
                self._drop(oldest)
            if size <= self._limit:
                self._kept[sha256] = _Kept(inputs, self.takers, now)
                self._size += size

    def take(self, sha256: str) -> Inputs:
        """The inputs of one image, which the last taker's take lets go; empty when there are none."""
        with self._lock:
            kept = self._kept.get(sha256)
            if kept is None:
                return {}
            kept.left -= 1
            if kept.left <= 0:
                self._drop(sha256)
            return kept.inputs

    def _drop(self, sha256: str) -> None:
        kept = self._kept.pop(sha256, None)
        if kept is not None:
            self._size -= _bytes(kept.inputs)


def _bytes(inputs: Inputs) -> int:
    return sum(each.pixels.nbytes for each in inputs.values())
