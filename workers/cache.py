"""Model inputs kept between ingest and the stages of the same process, so that an image is decoded once."""

import threading
from collections import OrderedDict
from collections.abc import Mapping

from workers.batching.batch import Prepared
from workers.steps.program import InputProgram

Inputs = Mapping[InputProgram, Prepared]


class InputCache:
    """Inputs by content (SHA-256), the oldest dropped first. A miss costs a second decode, nothing else."""

    def __init__(self, limit: int = 192 * 2**20, takers: int = 1) -> None:
        """limit: bytes. takers: how many groups of this process take each image's inputs once."""
        self._limit = limit
        self.takers = takers
        self._size = 0
        self._left: dict[str, int] = {}
        self._kept: OrderedDict[str, Inputs] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, sha256: str, inputs: Inputs) -> None:
        """Keep the inputs of one image."""
        with self._lock:
            self._drop(sha256)
            self._kept[sha256] = inputs
            self._left[sha256] = self.takers
            self._size += _bytes(inputs)
            while self._size > self._limit and self._kept:
                self._drop(next(iter(self._kept)))

    def take(self, sha256: str) -> Inputs:
        """The inputs of one image, which the last taker's take lets go; empty when there are none."""
        with self._lock:
            inputs = self._kept.get(sha256, {})
            if inputs:
                self._left[sha256] -= 1
                if self._left[sha256] <= 0:
                    self._drop(sha256)
            return inputs

    def _drop(self, sha256: str) -> None:
        if sha256 in self._kept:
            self._size -= _bytes(self._kept.pop(sha256))
            del self._left[sha256]


def _bytes(inputs: Inputs) -> int:
    return sum(each.pixels.nbytes for each in inputs.values())
