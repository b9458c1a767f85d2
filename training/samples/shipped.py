"""The shipped models as anyone would run them: ONNX Runtime, Pillow and numpy, no torch."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from training.samples.metrics import Found, suppress
from training.samples.preprocess import for_detector, for_tagger

PACKAGED = Path(__file__).resolve().parents[2] / "infra" / "models" / "packaged"
# Chosen on the validation split by `evaluate`; the model cards repeat them.
TAG_THRESHOLD = 0.45
BOX_THRESHOLD, BOX_OVERLAP = 0.38, 0.6
# mAP needs the whole curve, so candidates below the recommended threshold are measured too.
FLOOR = 0.02


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class SampleTagger:
    """The packaged tagger; `names` are its outputs in order, ratings first."""

    def __init__(self, folder: Path = PACKAGED / "sample-tagger", threads: int = 1) -> None:
        self._session = _session(folder / "model.onnx", threads)
        with (folder / "selected_tags.csv").open(newline="", encoding="utf-8") as stream:
            self.names = tuple(row["name"] for row in csv.DictReader(stream))

    def scores(self, image: Image.Image) -> NDArray[np.float32]:
        """Probabilities of one RGB picture, `(len(names),)`."""
        output: NDArray[np.float32] = self._session.run(None, {"image": for_tagger(image)[None]})[0][0]
        return output


class SampleDetector:
    """The packaged detector; `names` are its classes in order."""

    def __init__(self, folder: Path = PACKAGED / "sample-detector", threads: int = 1) -> None:
        self._session = _session(folder / "model.onnx", threads)
        names: dict[int, str] = ast.literal_eval(self._session.get_modelmeta().custom_metadata_map["names"])
        self.names = tuple(names[i] for i in range(len(names)))

    def find(self, image: Image.Image, threshold: float = BOX_THRESHOLD) -> Found:
        """Boxes in the picture's own pixels, clipped to it, best first."""
        square, fitted = for_detector(image)
        table = self._session.run(None, {"image": square[None]})[0][0].T
        cells, labels = np.nonzero(table[:, 4:] >= threshold)
        middle, size = table[cells, :2], table[cells, 2:4]
        corners = np.concatenate([middle - size / 2, middle + size / 2], 1)
        corners = (corners - np.tile([fitted.left, fitted.top], 2)) / fitted.scale
        corners = np.clip(corners, 0, np.tile(image.size, 2)).astype(np.float32)
        return suppress(Found(corners, table[cells, labels + 4], labels.astype(np.int64)), BOX_OVERLAP)
