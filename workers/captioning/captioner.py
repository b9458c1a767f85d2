"""The captioner: a picture's keys and values once, then a decoder that is asked for one word after the other."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ManifestError, NafudaError, PermanentError
from schemas.models import Label
from schemas.results import ModelOutput
from workers.batching.batch import Batch
from workers.onnx.dry_run import black, dry_run
from workers.onnx.model import OnnxModel
from workers.onnx.session import Session
from workers.steps.program import InputProgram
from workers.text import read_tokenizer, token

Floats = NDArray[np.float32]
_FEEDS = ("input_ids", "position", "cross", "past")
BEGIN, END = "[BEGIN]", "[END]"


class Captioner:
    """A Runner for captioning, greedy and therefore the same every time (R8).

    The graph of the manifest gives `cross (N, P, S, W) float32`: keys and values of the picture for each layer. The
    decoder takes `input_ids (N,)`, `position (1,)`, both int64, `cross`, and `past (N, P, T, W)`; it gives `logits
    (N, V)` and `present (N, P, T + 1, W)`. Every step costs one word, whatever was said before.
    """

    def __init__(self, model: OnnxModel, decoder: Session, paths: Mapping[str, Path]) -> None:
        self._model, self._decoder = model, decoder
        name, params = model.manifest.id, model.manifest.output.params
        self._most = int(str(params["max_tokens"]))
        self._tokenizer = read_tokenizer(paths[str(params["tokenizer"])], name)
        self._begin, self._end = token(self._tokenizer, BEGIN, name), token(self._tokenizer, END, name)
        missing = sorted(set(_FEEDS) - {each.name for each in decoder.inputs})
        if missing:
            raise ManifestError(f"{name}: its decoder takes no {', '.join(missing)}; export it as docs/models.md says")
        self._shape = dry_run(model)
        if len(self._shape) != 3:
            raise ManifestError(f"{name}: the encoder gives {self._shape} for an image, expected (P, S, W)")
        if len(model.labels) != 1:
            raise ManifestError(f"{name}: a captioner has one label, there are {len(model.labels)}")
        try:
            self.forward(black(self.program.size, 1))
        except NafudaError:
            raise
        except Exception as error:
            raise ManifestError(f"{name}: the dry run of its decoder failed: {error}") from error

    @property
    def labels(self) -> tuple[Label, ...]:
        """One label: what its sentences are called."""
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
        """One sentence for each image; its score is the geometric mean of its words' probabilities.

        An error where the graph gives no numbers or no word.
        """
        cross = self._model.infer(batch)
        good: NDArray[np.bool_] = np.asarray(np.isfinite(cross).reshape(len(batch), -1).all(1))
        words, scores = self._write(np.where(good[:, None, None, None], cross, 0).astype(np.float32))
        answers: list[ModelOutput | NafudaError] = []
        for fine, ids, score in zip(good, words, scores, strict=True):
            text = self._text(ids)
            if not fine or not np.isfinite(score) or not text:
                said = "an empty text" if fine else "numbers that are NaN or infinite"
                answers.append(PermanentError(f"the captioner gave {said} for this image", code="bad-output"))
            else:
                answers.append(ModelOutput(np.zeros(1, np.int16), np.array([score], np.float32), texts=(text,)))
        return answers

    def _write(self, cross: Floats) -> tuple[list[list[int]], Floats]:
        """Token ids of each row up to its end, and how sure they are. Rows that have ended leave the batch."""
        count = len(cross)
        words: list[list[int]] = [[] for _ in range(count)]
        sure = np.zeros(count, np.float64)
        rows, last = np.arange(count), np.full(count, self._begin, np.int64)
        past = np.zeros((count, cross.shape[1], 0, cross.shape[3]), np.float32)
        for position in range(self._most):
            feeds = {"input_ids": last, "position": np.array([position]), "cross": cross, "past": past}
            found = self._decoder.run(feeds)
            logits, past = found["logits"].astype(np.float64), found["present"].astype(np.float32, copy=False)
            last = logits.argmax(1)
            top = logits.max(1)
            sure[rows] += top - (np.log(np.exp(logits - top[:, None]).sum(1)) + top)
            on = last != self._end
            for row, word in zip(rows[on], last[on], strict=True):
                words[row].append(int(word))
            if not on.any():
                break
            if not on.all():
                rows, last, cross, past = rows[on], last[on], cross[on], past[on]
        lengths = np.array([len(ids) + 1 for ids in words])
        return words, np.exp(sure / lengths).clip(0, 1).astype(np.float32)

    def _text(self, ids: list[int]) -> str:
        text = str(self._tokenizer.decode(ids)).strip()
        return text[:1].upper() + text[1:]
