"""A device that only takes time, in place of inference: `python -m benchmarks.timed worker ROLE…` is a worker with it.

Each tagger of the process keeps its labels and its input, so that all other work is as ever; its graph is never run
after loading. A batch takes TIMED_DEVICE_MILLISECONDS, whatever is in it. Nothing of this is known outside benchmarks/.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from nafuda.__main__ import main
from schemas.models import Label
from schemas.results import ModelOutput
from workers.batching.batch import Batch, Runner
from workers.onnx.session import Session
from workers.runners import RUNNERS, Opening
from workers.steps.program import InputProgram

VARIABLE = "TIMED_DEVICE_MILLISECONDS"
MOST = 32  # images in a batch, as the manifest of the sample tagger says
# What it says of every image, so that merging and indexing have something to do; nothing that a policy holds back.
_SAID = frozenset({"general", "1girl", "solo", "black_hair", "blue_eyes", "smile", "outdoors", "sky"})


class TimedDevice:
    """A Runner beside a real one, whose labels and input it has. seconds: for a batch."""

    def __init__(self, real: Runner, seconds: float) -> None:
        self.labels: tuple[Label, ...] = real.labels
        self.program: InputProgram = real.program
        self.providers: tuple[str, ...] = ("timed",)
        self._seconds = seconds
        said = [number for number, label in enumerate(real.labels) if label.name in _SAID]
        self._answer = ModelOutput(np.array(said, np.int16), np.full(len(said), 0.9, np.float32))

    def forward(self, batch: Batch) -> Sequence[ModelOutput]:
        """The contract of Runner.forward. ValueError for more images than the device takes."""
        if len(batch) > MOST:
            raise ValueError(f"{len(batch)} images at once; the device takes {MOST}")
        time.sleep(self._seconds)
        return [self._answer] * len(batch)


def install(seconds: float) -> None:
    """Have every tagger that this process loads from now on wait instead of working."""
    registry = cast(dict[str, Callable[[Opening, Session], Runner]], RUNNERS)
    real = registry["tagger"]
    registry["tagger"] = lambda opening, session: TimedDevice(real(opening, session), seconds)


if __name__ == "__main__":
    install(float(os.environ[VARIABLE]) / 1000)
    main()
