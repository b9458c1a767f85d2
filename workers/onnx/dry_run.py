"""The dry run at load: a graph that is not what its manifest says must fail before the first image."""

import numpy as np

from schemas.errors import ManifestError, NafudaError
from workers.batching.batch import Batch
from workers.onnx.model import OnnxModel
from workers.steps.geometry import Geometry


def black(size: tuple[int, int], count: int) -> Batch:
    """A batch of black images. size: (height, width) in pixels."""
    pixels = np.zeros((count, *size, 3), np.uint8)
    return Batch(pixels, (Geometry(float(size[1]), float(size[0])),) * count)


def dry_run(model: OnnxModel) -> tuple[int, ...]:
    """Run one image, and two where a batch may hold them; returns the output's shape for one image.

    ManifestError when the graph fails, or does not give one answer an image.
    """
    shape: tuple[int, ...] = ()
    for count in (1, 2)[: model.manifest.batch.max]:
        try:
            shape = model.infer(black(model.input_program.size, count)).shape[1:]
        except NafudaError:
            raise
        except Exception as error:
            raise ManifestError(f"{model.manifest.id}: the dry run of {count} failed: {error}") from error
    return shape
