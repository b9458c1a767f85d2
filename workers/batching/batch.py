"""What goes into a model and what comes out: a prepared image, a batch, and the runner's contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import NafudaError
from schemas.models import Label
from schemas.results import ModelOutput
from workers.steps.geometry import Geometry
from workers.steps.program import InputProgram

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image after the image steps. pixels: (H, W, 3) uint8 RGB of the model's input size."""

    pixels: Pixels
    geometry: Geometry

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(f"pixels: expected uint8 (H, W, 3), got {self.pixels.dtype} {self.pixels.shape}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of one size. pixels: (P, H, W, 3) uint8 RGB; geometries: N <= P, rows from N on are padding."""

    pixels: Pixels
    geometries: tuple[Geometry, ...]

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 4 or self.pixels.shape[3] != 3:
            raise ValueError(f"pixels: expected uint8 (P, H, W, 3), got {self.pixels.dtype} {self.pixels.shape}")
        if not 0 < len(self.geometries) <= len(self.pixels):
            raise ValueError(f"geometries: expected 1..{len(self.pixels)}, got {len(self.geometries)}")

    def __len__(self) -> int:
        return len(self.geometries)


class Runner(Protocol):
    """A loaded model that has passed its dry run. Called by one thread at a time."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """What the model can say, in the order of its output."""

    @property
    def program(self) -> InputProgram:
        """The image steps that its input needs, ending in its size."""

    @property
    def providers(self) -> tuple[str, ...]:
        """What it runs on, best first."""

    def forward(self, batch: Batch) -> Sequence[ModelOutput | NafudaError]:
        """One answer or error for each image, in the same order; raising fails the batch as a whole.

        The pixels may be overwritten after it returned.
        """
