"""Devices to put behind a batcher: they answer with the number that is painted into the image."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from schemas.errors import NafudaError, PermanentError
from schemas.results import ModelOutput
from workers.batching.batch import Batch, Prepared
from workers.batching.ticket import Outcome
from workers.steps.geometry import Geometry

SIZE = (2, 3)


def image(number: int) -> Prepared:
    """An image that carries a number below 32,768 in its pixels, and again as the width of its geometry."""
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[0, 0, 0], pixels[1, 2, 2] = divmod(number, 256)
    return Prepared(pixels, Geometry(float(number), 1.0))


def images(numbers: Sequence[int]) -> list[Prepared]:
    """Several of them."""
    return [image(number) for number in numbers]


def read(batch: Batch) -> list[int]:
    """The numbers of a batch; fails when pixels and geometries were mixed up."""
    numbers = [int(p[0, 0, 0]) * 256 + int(p[1, 2, 2]) for p in batch.pixels[: len(batch)]]
    assert numbers == [int(geometry.width) for geometry in batch.geometries]
    return numbers


def output(number: int) -> ModelOutput:
    """The answer that says a number."""
    return ModelOutput(np.array([number], np.int16), np.ones(1, np.float32))


def said(outcome: Outcome) -> int | str:
    """The number of an answer, or the code of an error."""
    if isinstance(outcome.value, NafudaError):
        return outcome.value.code
    return int(outcome.value.labels[0])


@dataclass
class Device:
    """Answers with the images' numbers. poison: raises for a batch with one; refused: gives an error for one.

    gate: the device works only while it is set. most: raises MemoryError for larger batches.
    """

    poison: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()
    most: int = 1000
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    batches: list[list[int]] = field(default_factory=list)
    shapes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def forward(self, batch: Batch) -> list[ModelOutput | NafudaError]:
        """The contract of Runner.forward."""
        self.entered.set()
        self.gate.wait()
        numbers = read(batch)
        self.batches.append(numbers)
        self.shapes.append(len(batch.pixels))
        if len(numbers) > self.most:
            raise MemoryError(f"{len(numbers)} images")
        if self.poison & set(numbers):
            raise ValueError("a kernel failed")
        return [PermanentError("no", code="refused") if n in self.refused else output(n) for n in numbers]
