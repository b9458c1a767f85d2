"""Batch steps: from uint8 RGB pixels of many pictures to the array that a model's graph takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ManifestError
from workers.steps.registry import Op, Step, check, number, one_of, three_numbers

Pixels = NDArray[np.uint8] | NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pixels under way: (N, H, W, 3) when channels_last, else (N, 3, H, W). owned: may be changed in place."""

    pixels: Pixels
    channels_last: bool = True
    owned: bool = False

    def writable(self) -> NDArray[np.float32]:
        """The pixels as float32 that nobody else holds."""
        if self.owned and self.pixels.dtype == np.float32:
            return self.pixels.astype(np.float32, copy=False)
        return self.pixels.astype(np.float32)

    def per_channel(self, values: tuple[float, ...]) -> NDArray[np.float32]:
        """Three values in the shape that broadcasts over the pixels."""
        return np.array(values, np.float32).reshape((3,) if self.channels_last else (3, 1, 1))


def scale(batch: Batch, *, factor: float) -> Batch:
    """Multiply by a factor (1/255 for the range [0, 1]); the result is float32."""
    pixels = batch.writable()
    pixels *= np.float32(factor)
    return replace(batch, pixels=pixels, owned=True)


def normalise(batch: Batch, *, mean: tuple[float, ...], std: tuple[float, ...]) -> Batch:
    """(x - mean) / std per channel, in the channels' present order; the result is float32."""
    pixels = batch.writable()
    pixels -= batch.per_channel(mean)
    pixels /= batch.per_channel(std)
    return replace(batch, pixels=pixels, owned=True)


def to_bgr(batch: Batch) -> Batch:
    """Reverse the order of the channels."""
    pixels = batch.pixels[..., ::-1] if batch.channels_last else batch.pixels[:, ::-1]
    return replace(batch, pixels=pixels)


def to_nchw(batch: Batch) -> Batch:
    """(N, H, W, 3) to (N, 3, H, W); nothing to do when it is so already."""
    pixels = batch.pixels.transpose(0, 3, 1, 2) if batch.channels_last else batch.pixels
    return replace(batch, pixels=pixels, channels_last=False)


def cast(batch: Batch, *, dtype: str = "float32") -> Batch:
    """Change the type of the numbers, without changing their values."""
    pixels: Pixels = batch.pixels.astype(np.float16) if dtype == "float16" else batch.writable()
    return replace(batch, pixels=pixels, owned=True)


BATCH_STEPS: Mapping[str, Op[Callable[..., Batch]]] = {
    "scale": Op(scale, {"factor": number(1e-6, 1e6, required=True)}),
    "normalise": Op(normalise, {"mean": three_numbers(-1e6, 1e6), "std": three_numbers(1e-6, 1e6)}),
    "to_bgr": Op(to_bgr),
    "to_nchw": Op(to_nchw),
    "cast": Op(cast, {"dtype": one_of("float32", "float16")}),
}


@dataclass(frozen=True, slots=True)
class BatchProgram:
    """Batch steps in their order. Raises ManifestError naming the step, the parameter and what is allowed."""

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for step in self.steps:
            check(step, BATCH_STEPS)


def run_batch(pixels: NDArray[np.uint8], program: BatchProgram) -> Pixels:
    """What the graph takes, contiguous, for pixels (N, H, W, 3) uint8 RGB, which stay as they are."""
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise ManifestError(f"batch: expected (N, H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    batch = Batch(pixels)
    for step in program.steps:
        batch = BATCH_STEPS[step.op].apply(batch, **step.params)
    return batch.pixels if batch.pixels.flags.c_contiguous else batch.pixels.copy()
