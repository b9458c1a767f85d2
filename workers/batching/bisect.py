"""Running a batch so that one bad image fails alone: a batch that raises is halved until it is found."""

from collections.abc import Callable, Sequence

import numpy as np

from schemas.errors import ConfigurationError, ManifestError, NafudaError, TransientError
from schemas.results import ModelOutput
from workers.batching.batch import Batch

Forward = Callable[[Batch], Sequence[ModelOutput | NafudaError]]
Answer = ModelOutput | NafudaError


def run(forward: Forward, batch: Batch) -> list[Answer]:
    """One answer for each image, in order; never raises an Exception.

    Halving also mends what only the size broke: memory that is too short for 32 images may do for 16. Errors
    that blame the model or the installation are the same for every image, so they are not searched for.
    """
    try:
        answers = list(forward(batch))
        if len(answers) == len(batch):
            return answers
        raise ManifestError(f"the runner gave {len(answers)} answers for {len(batch)} images")
    except (ConfigurationError, ManifestError) as error:
        return [error] * len(batch)
    except Exception as error:  # noqa: BLE001 - whatever a runtime raises must cost one image, not the thread
        if len(batch) == 1:
            return [_blame(error)]
    middle = len(batch) // 2
    return run(forward, _part(batch, 0, middle)) + run(forward, _part(batch, middle, len(batch)))


def _part(batch: Batch, start: int, stop: int) -> Batch:
    """A copy, so that no row of a neighbour, which may be the bad one, is run as padding."""
    return Batch(np.ascontiguousarray(batch.pixels[start:stop]), batch.geometries[start:stop])


def _blame(error: Exception) -> NafudaError:
    """What one image's failure is called. Unknown ones may be tried again: attempts are counted elsewhere."""
    if isinstance(error, NafudaError):
        return error
    text = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
    if isinstance(error, MemoryError) or "memory" in said.lower():
        return TransientError(f"memory ran short for a single image ({said}); free memory", code="memory")
    return TransientError(f"the model failed on this image ({said})", code="forward-failed")
