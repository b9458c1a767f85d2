"""The reader: words in a picture with their places, by RapidOCR, whose package carries its own models (extra `ocr`)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError, ManifestError, NafudaError, PermanentError
from schemas.models import Label, Manifest
from schemas.results import ModelOutput
from workers.batching.batch import Batch
from workers.steps.geometry import Geometry
from workers.steps.program import InputProgram
from workers.steps.registry import Step

_TEXT = "text"


class Reader:
    """A Runner for reading. Making one loads the models and reads a black picture."""

    def __init__(self, manifest: Manifest, threads: int = 1) -> None:
        size = manifest.input.size
        if size is None:
            raise ManifestError(f"{manifest.id}: set input.size = [height, width]")
        steps = tuple(Step(step.op, {"size": size, **step.params}) for step in manifest.image_steps)
        self._program = InputProgram(steps, size)
        self._engine = _open(threads)
        self._turn = threading.Lock()
        self._floor = manifest.output.floor
        self._read(np.zeros((*size, 3), np.uint8), Geometry(float(size[1]), float(size[0])))

    @property
    def labels(self) -> tuple[Label, ...]:
        """One label: what was read."""
        return (Label(_TEXT, _TEXT),)

    @property
    def program(self) -> InputProgram:
        """The image steps that its input needs."""
        return self._program

    @property
    def providers(self) -> tuple[str, ...]:
        """RapidOCR runs on the CPU here."""
        return ("cpu",)

    def forward(self, batch: Batch) -> list[ModelOutput | NafudaError]:
        """Lines of words for each image, in no order; a picture that the library fails on fails alone."""
        found: list[ModelOutput | NafudaError] = []
        for pixels, geometry in zip(batch.pixels[: len(batch)], batch.geometries, strict=True):
            try:
                found.append(self._read(pixels, geometry))
            except NafudaError as error:
                found.append(error)
            except Exception as error:  # noqa: BLE001  whatever a library raises is about this picture
                message = f"reading failed: {type(error).__name__}: {error}"
                found.append(PermanentError(message, code="bad-output"))
        return found

    def _read(self, pixels: NDArray[np.uint8], geometry: Geometry) -> ModelOutput:
        with self._turn:  # one engine serves one picture at a time
            answer = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))
        if answer.txts is None or answer.boxes is None or not len(answer.txts):
            return ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), np.zeros((0, 4), np.float32), ())
        corners = np.asarray(answer.boxes, np.float32)
        if corners.shape != (len(answer.txts), 4, 2) or not np.isfinite(corners).all():
            raise PermanentError(f"the reader gave boxes of the shape {corners.shape}", code="bad-output")
        scores = np.asarray(answer.scores, np.float32).clip(0, 1)
        boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
        kept = np.flatnonzero((scores >= self._floor) & [bool(text.strip()) for text in answer.txts])
        texts = tuple(str(answer.txts[index]).strip() for index in kept)
        return ModelOutput(np.zeros(len(kept), np.int16), scores[kept], geometry.to_original(boxes[kept]), texts)


def _open(threads: int) -> Callable[[NDArray[np.uint8]], Any]:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise ConfigurationError("reading words needs RapidOCR: pip install 'nafuda[ocr]'") from error
    params = {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    engine: Callable[[NDArray[np.uint8]], Any] = RapidOCR(params=params)
    return engine
