"""A model's preprocessing as a list of named steps: checked once, hashable, cheap to send to a decoding process."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.errors import ManifestError
from workers.steps.geometry import Geometry
from workers.steps.image import IMAGE_STEPS, MAX_SIDE, Correct, Picture
from workers.steps.registry import Step, check


@dataclass(frozen=True, slots=True)
class InputProgram:
    """Image steps and the size (height, width) they must end in, the same for every picture.

    Raises ManifestError naming the step, the parameter and what is allowed.
    """

    steps: tuple[Step, ...]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        if len(self.size) != 2 or not all(1 <= side <= MAX_SIDE for side in self.size):
            raise ManifestError(f"input size {self.size}: expected (height, width), each from 1 to {MAX_SIDE}")
        for step in self.steps:
            check(step, IMAGE_STEPS)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3)."""
        return (*self.size, 3)

    @property
    def nbytes(self) -> int:
        """Bytes of one input, uint8."""
        return self.size[0] * self.size[1] * 3


def run_program(
    image: Image.Image, program: InputProgram, correct: Correct | None = None
) -> tuple[NDArray[np.uint8], Geometry]:
    """The model's input for an upright RGB image: (H, W, 3) uint8 RGB, and how to map boxes back.

    correct: makes a copy of an image in sRGB, when this one is not; it is called once, as late as it can be.
    ManifestError when the steps do not end in the program's size.
    """
    picture = Picture.of(image, correct)
    for step in program.steps:
        picture = IMAGE_STEPS[step.op].apply(picture, **step.params)
    picture = picture.painted().corrected()
    height, width = program.size
    if picture.image.size != (width, height):
        raise ManifestError(
            f"the steps {_names(program.steps)} made {picture.image.width} x {picture.image.height} of a picture of "
            f"{image.width} x {image.height}, the model takes {width} x {height}: end them in a fixed size"
        )
    return np.asarray(picture.image), picture.geometry


def _names(steps: Iterable[Step]) -> str:
    return " > ".join(step.op for step in steps) or "(none)"
