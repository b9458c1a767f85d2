"""The embedder: a picture's vector of length 1."""

import numpy as np

from schemas.errors import ManifestError, NafudaError, PermanentError
from schemas.models import Label
from schemas.results import Floats, ModelOutput
from workers.batching.batch import Batch
from workers.onnx.dry_run import dry_run
from workers.onnx.model import OnnxModel
from workers.onnx.outputs import finite
from workers.steps.program import InputProgram


def unit(vectors: Floats) -> Floats:
    """Vectors scaled to length 1 along the last axis. PermanentError (code "bad-output") for one of length 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not (lengths > 0).all():
        raise PermanentError("the model gave a vector of length 0", code="bad-output")
    return np.asarray(vectors / lengths, np.float32)


class Embedder:
    """A Runner for embedding."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        shape = dry_run(model)
        if len(shape) != 1:
            raise ManifestError(f"{model.manifest.id}: the output has the shape {shape} for an image, expected (D,)")
        self.width = shape[0]

    @property
    def labels(self) -> tuple[Label, ...]:
        """It says no label of an image; its list names the space."""
        return self._model.labels

    @property
    def program(self) -> InputProgram:
        """The image steps that its input needs."""
        return self._model.input_program

    @property
    def providers(self) -> tuple[str, ...]:
        """What it runs on, best first."""
        return self._model.session.providers

    def forward(self, batch: Batch) -> list[ModelOutput | NafudaError]:
        """A vector for each image; an error where it is broken."""
        return [self._read(raw) for raw in self._model.infer(batch)]

    def _read(self, raw: Floats) -> ModelOutput | NafudaError:
        try:
            vector = unit(finite(raw))
        except PermanentError as error:
            return error
        return ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=vector)
