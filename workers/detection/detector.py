"""The detector: a YOLO-shaped graph's output as boxes in original upright pixels."""

import numpy as np

from schemas.errors import ManifestError, NafudaError, PermanentError
from schemas.models import Label
from schemas.results import Floats, ModelOutput
from workers.batching.batch import Batch
from workers.detection.boxes import suppress
from workers.detection.yolo import HEADS, choose_head
from workers.onnx.dry_run import dry_run
from workers.onnx.model import OnnxModel
from workers.onnx.outputs import checked_scores, finite
from workers.steps.geometry import Geometry
from workers.steps.program import InputProgram


class Detector:
    """A Runner for detection. Making one runs the graph on black images and looks at the output's shape."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        output = model.manifest.output
        shape = dry_run(model)
        try:
            self._name = choose_head(str(output.params["head"]), shape, len(model.labels))
        except ManifestError as error:
            raise ManifestError(f"{model.manifest.id}: {error}") from error
        self._head = HEADS[self._name]
        self._floor = output.floor
        self._iou = float(output.params["iou"])  # type: ignore[arg-type]
        self._class_aware = output.params["nms"] == "class_aware"
        self._most = int(output.params["max_boxes"])  # type: ignore[arg-type]

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
        """Boxes at or above the floor for each image, best first; an error where the output is broken."""
        raw = self._model.infer(batch)
        return [self._read(raw[n], geometry) for n, geometry in enumerate(batch.geometries)]

    def _read(self, raw: Floats, geometry: Geometry) -> ModelOutput | NafudaError:
        try:
            found = self._head(finite(raw), len(self.labels), self._floor)
            scores = checked_scores(found.scores)
        except PermanentError as error:
            return error
        if self._name == "end_to_end":
            rows = np.argsort(-scores, kind="stable")[: self._most]
        else:
            rows = suppress(found, iou_above=self._iou, class_aware=self._class_aware, most=self._most)
        boxes = geometry.to_original(found.boxes[rows])
        # A box that lies in the padding alone shows nothing of the picture.
        inside = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        rows = rows[inside]
        return ModelOutput(found.labels[rows], scores[rows], boxes[inside])
