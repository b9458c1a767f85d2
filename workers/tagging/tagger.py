"""The tagger: a graph that gives a number for every label, as the labels at or above the floor."""

from collections.abc import Callable, Mapping

import numpy as np

from schemas.errors import ManifestError, NafudaError, PermanentError
from schemas.models import Label
from schemas.results import Floats, ModelOutput
from workers.batching.batch import Batch
from workers.onnx.dry_run import dry_run
from workers.onnx.model import OnnxModel
from workers.onnx.outputs import checked_scores, finite
from workers.steps.program import InputProgram


def sigmoid(logits: Floats) -> Floats:
    """1 / (1 + exp(-x)), in a form that does not overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float32)


def softmax(logits: Floats) -> Floats:
    """exp(x) / sum exp(x) over the last axis."""
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True), np.float32)


DECODINGS: Mapping[str, Callable[[Floats], Floats]] = {
    "probabilities": lambda raw: raw,
    "sigmoid": sigmoid,
    "softmax": softmax,
}


class Tagger:
    """A Runner for tagging. Making one runs the graph on black images and looks at the output's shape."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        shape = dry_run(model)
        if shape != (len(model.labels),):
            raise ManifestError(
                f"{model.manifest.id}: the output has the shape {shape} for an image, there are "
                f"{len(model.labels)} labels; use the label file that came with the graph"
            )
        self._decode = DECODINGS[model.manifest.output.decode]
        self._floor = model.manifest.output.floor

    @property
    def labels(self) -> tuple[Label, ...]:
        """What the model can say, in the order of its output."""
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
        """Labels at or above the floor for each image, in label order.

        An error where the output is broken.
        """
        return [self._read(raw) for raw in self._model.infer(batch)]

    def _read(self, raw: Floats) -> ModelOutput | NafudaError:
        try:
            scores = checked_scores(self._decode(finite(raw)))
        except PermanentError as error:
            return error
        labels = np.flatnonzero(scores >= self._floor)
        return ModelOutput(labels.astype(np.int16), scores[labels])
