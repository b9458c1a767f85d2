"""What one model says of one image: the raw results that everything else is merged from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int16]


def _check(name: str, array: NDArray[np.generic], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name}: expected {np.dtype(dtype)} {shape}, got {array.dtype} {array.shape}")


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """What one model says of one image: scored labels, and what only some kinds of models give.

    labels: (N,) int16, index into the model's label list, at or above its floor. scores: (N,) float32 in [0, 1].
    boxes: (N, 4) float32 xyxy in original upright pixels, or None for a model that places nothing.
    texts: N texts (a caption, or the words that were read), or None. figures: (N,) float32 in the range that each
    label of a scorer declares, finite, or None; its scores are then 1. vector: (D,) float32 of length 1, or None.
    """

    labels: Labels
    scores: Floats
    boxes: Floats | None = None
    texts: tuple[str, ...] | None = None
    figures: Floats | None = None
    vector: Floats | None = None

    def __post_init__(self) -> None:
        count = len(self.labels)
        _check("labels", self.labels, np.int16, (count,))
        _check("scores", self.scores, np.float32, (count,))
        if count and not (float(self.scores.min()) >= 0.0 and float(self.scores.max()) <= 1.0):
            raise ValueError(f"scores: expected [0, 1], got {self.scores.min()}..{self.scores.max()}")
        if self.boxes is not None:
            _check("boxes", self.boxes, np.float32, (count, 4))
        if self.texts is not None and len(self.texts) != count:
            raise ValueError(f"texts: expected {count}, got {len(self.texts)}")
        if self.figures is not None:
            _check("figures", self.figures, np.float32, (count,))
            if not np.isfinite(self.figures).all():
                raise ValueError(f"figures: expected finite numbers, got {self.figures}")
        if self.vector is not None:
            _check("vector", self.vector, np.float32, (self.vector.size,))

    @classmethod
    def empty(cls, *, boxes: bool = False) -> Self:
        """No label at all: a legal answer."""
        places = np.zeros((0, 4), np.float32) if boxes else None
        return cls(np.zeros(0, np.int16), np.zeros(0, np.float32), places)


@dataclass(frozen=True, slots=True)
class StageResult:
    """One model's answer for one image, ready to be stored. `millis` is its share of the batch's time."""

    image: int
    model: int
    stage: str
    output: ModelOutput
    millis: float
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one (stage, subject, model) has no result yet, or never will."""

    stage: str
    subject: int
    model: int
    code: str
    reason: str
    permanent: bool
    attempts: int = 1  # how often it was tried, this time included
