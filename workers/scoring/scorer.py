"""Scorers of pictures: a graph's figure, or the mean and deviation of its distribution over bins (NIMA, R23)."""

import numpy as np

from schemas.errors import ManifestError, NafudaError, PermanentError
from schemas.models import Label
from schemas.results import Floats, ModelOutput
from schemas.scores import KINDS
from workers.batching.batch import Batch
from workers.onnx.dry_run import dry_run
from workers.onnx.model import OnnxModel
from workers.onnx.outputs import checked_scores, finite
from workers.steps.program import InputProgram


def mean_and_deviation(bins: Floats) -> Floats:
    """Mean Σ i·pᵢ (i from 1) and standard deviation of a distribution `(B,)`, as `(2,)`."""
    shares = bins.astype(np.float64) / bins.sum(dtype=np.float64)
    places = np.arange(1, len(shares) + 1)
    mean = float(places @ shares)
    return np.array([mean, np.sqrt((places - mean) ** 2 @ shares)], np.float32)


def checked_kinds(labels: tuple[Label, ...], model: str, count: int) -> None:
    """ManifestError unless there are `count` labels and each is a known kind of score."""
    unknown = [label.name for label in labels if label.name not in KINDS]
    if unknown or len(labels) != count:
        raise ManifestError(
            f"{model}: expected {count} labels out of {', '.join(KINDS)}, got {[label.name for label in labels]}"
        )


def figures(labels: tuple[Label, ...], values: Floats) -> ModelOutput:
    """One figure a label, clipped to its kind's range."""
    kinds = [KINDS[label.name] for label in labels]
    clipped = np.clip(values, [kind.low for kind in kinds], [kind.high for kind in kinds]).astype(np.float32)
    count = len(labels)
    return ModelOutput(np.arange(count, dtype=np.int16), np.ones(count, np.float32), figures=clipped)


class Scorer:
    """A Runner for scoring pictures. Labels name the figures: two for a distribution, else one."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self._spread = model.manifest.output.decode == "distribution"
        checked_kinds(model.labels, model.manifest.id, 2 if self._spread else 1)
        shape = dry_run(model)
        if len(shape) != 1 or (shape[0] < 2) == self._spread:
            wanted = "two bins or more" if self._spread else "one number"
            raise ManifestError(
                f"{model.manifest.id}: the output has the shape {shape} for an image, expected {wanted}"
            )

    @property
    def labels(self) -> tuple[Label, ...]:
        """The kinds of its figures."""
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
        """Figures of each image; an error where the output is broken."""
        return [self._read(raw) for raw in self._model.infer(batch)]

    def _read(self, raw: Floats) -> ModelOutput | NafudaError:
        try:
            values = finite(raw)
            if self._spread:
                values = checked_scores(values)
                if values.sum() <= 0:
                    return PermanentError("the model's bins are all 0 for this image", code="bad-output")
                values = mean_and_deviation(values)
            return figures(self.labels, values)
        except PermanentError as error:
            return error
