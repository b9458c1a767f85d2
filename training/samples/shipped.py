"""The shipped models as anyone would run them: ONNX Runtime, Pillow and numpy, no torch."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer

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


class SampleGraph:
    """A shipped graph from one image input to its named outputs, in batches."""

    def __init__(self, folder: Path, graph: str = "model.onnx", threads: int = 1) -> None:
        self._session = _session(folder / graph, threads)
        self._input = self._session.get_inputs()[0].name
        self.names = [each.name for each in self._session.get_outputs()]

    def run(self, values: NDArray[np.generic], batch: int = 32) -> dict[str, NDArray[np.float32]]:
        """Every output of all rows."""
        parts = [
            self._session.run(self.names, {self._input: values[at : at + batch]}) for at in range(0, len(values), batch)
        ]
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(self.names)}


class SampleEncoder:
    """The packaged dual encoder: prepared pictures `(N, SIDE, SIDE, 3)` and texts to vectors of length 1."""

    def __init__(self, folder: Path = PACKAGED / "sample-encoder") -> None:
        self._pictures, self._texts = SampleGraph(folder, "image.onnx"), SampleGraph(folder, "text.onnx")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def pictures(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(N, D)`."""
        return self._pictures.run(pixels)["embedding"]

    def texts(self, texts: list[str]) -> NDArray[np.float32]:
        """`(N, D)`."""
        return self._texts.run(np.array([each.ids for each in self._tokenizer.encode_batch(texts)], np.int64))[
            "embedding"
        ]


class SampleCaptioner:
    """The packaged captioner, greedy."""

    def __init__(self, folder: Path = PACKAGED / "sample-captioner") -> None:
        self._encoder, self._decoder = SampleGraph(folder, "encoder.onnx"), _session(folder / "decoder.onnx", 1)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def write(self, pixels: NDArray[np.uint8], most: int = 70) -> list[str]:
        """One caption a prepared picture `(N, SIDE, SIDE, 3)`."""
        cross = self._encoder.run(pixels)["cross"]
        count, end = len(pixels), self._tokenizer.token_to_id("[END]")
        past = np.zeros((count, cross.shape[1], 0, cross.shape[3]), np.float32)
        last = np.full(count, self._tokenizer.token_to_id("[BEGIN]"))
        words: list[list[int]] = [[] for _ in range(count)]
        open_ = np.ones(count, bool)
        for position in range(most):
            feeds = {"input_ids": last, "position": np.array([position]), "cross": cross, "past": past}
            logits, past = self._decoder.run(["logits", "present"], feeds)
            last = logits.argmax(1)
            open_ &= last != end
            for row in np.flatnonzero(open_):
                words[row].append(int(last[row]))
            if not open_.any():
                break
        return [str(self._tokenizer.decode(ids)) for ids in words]
