"""Scorers of what other stages found: they take stored answers by model, not pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from schemas.errors import ManifestError, NafudaError, PermanentError
from schemas.models import Label, Manifest
from schemas.results import ModelOutput
from workers.embedding.texts import TextEncoder
from workers.onnx.outputs import finite
from workers.onnx.session import Session
from workers.scoring.scorer import checked_kinds, figures

Answers = Mapping[str, ModelOutput]


class AnswerRunner(Protocol):
    """A loaded model over other models' answers."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """The kinds of its figures."""

    @property
    def wants(self) -> tuple[str, ...]:
        """Ids of the models whose answers it needs."""

    @property
    def providers(self) -> tuple[str, ...]:
        """What it runs on, best first."""

    def judge(self, images: Sequence[Answers]) -> Sequence[ModelOutput | NafudaError]:
        """One answer or error for each image, in the same order."""


def _lacking(model: str, what: str) -> PermanentError:
    return PermanentError(
        f"{model} gave no {what} for this image, so there is nothing to score", code="nothing-to-score"
    )


class ClipScore:
    """R24: 2.5 · max(cos, 0) of the picture's vector and its caption's, behind a prompt if any (Hessel et al. 2021)."""

    def __init__(
        self, manifest: Manifest, session: Session, paths: Mapping[str, Path], labels: tuple[Label, ...]
    ) -> None:
        checked_kinds(labels, manifest.id, 1)
        params = manifest.output.params
        self._picture, self._caption = str(params["embedding"]), str(params["caption"])
        self._prompt = str(params.get("prompt", ""))
        self._session, self.labels = session, labels
        length, pad = int(str(params["length"])), int(str(params["pad_id"]))
        tokenizer = paths[str(params["tokenizer"])]
        self._encode = TextEncoder(session, tokenizer, manifest.id, manifest.output.name, length, pad)

    @property
    def wants(self) -> tuple[str, ...]:
        """The encoder and the captioner."""
        return (self._picture, self._caption)

    @property
    def providers(self) -> tuple[str, ...]:
        """What it runs on, best first."""
        return self._session.providers

    def judge(self, images: Sequence[Answers]) -> list[ModelOutput | NafudaError]:
        """An error where there is no caption or no vector."""
        texts = [_caption(answers, self._caption) for answers in images]
        told = self._encode([self._prompt + (text or "-") for text in texts])
        found: list[ModelOutput | NafudaError] = []
        for answers, text, vector in zip(images, texts, told, strict=True):
            picture = answers[self._picture].vector if self._picture in answers else None
            if text is None:
                found.append(_lacking(self._caption, "caption"))
            elif picture is None or picture.shape != vector.shape:
                found.append(_lacking(self._picture, f"vector of {len(vector)} numbers"))
            else:
                found.append(figures(self.labels, np.array([clip_score(float(picture @ vector))], np.float32)))
        return found


def clip_score(cosine: float) -> float:
    """2.5 · max(cos, 0)."""
    return 2.5 * max(cosine, 0.0)


def _caption(answers: Answers, model: str) -> str | None:
    texts = answers[model].texts if model in answers else None
    return texts[0] if texts else None


class VectorScorer:
    """A head on stored vectors: a graph from `(N, D) float32` to `(N, 1)`, such as an aesthetic predictor (R25)."""

    def __init__(
        self, manifest: Manifest, session: Session, paths: Mapping[str, Path], labels: tuple[Label, ...]
    ) -> None:
        checked_kinds(labels, manifest.id, 1)
        self._name, self._session, self.labels = manifest.id, session, labels
        self._input, self._output = manifest.input.name, manifest.output.name
        self._picture = str(manifest.output.params["embedding"])
        width = next((each.shape[-1] for each in session.inputs if each.name == self._input), None)
        if width is None or self._output not in [each.name for each in session.outputs]:
            raise ManifestError(
                f"{manifest.id}: the graph has no input {self._input} of fixed width or no {self._output}"
            )
        self._width = width

    @property
    def wants(self) -> tuple[str, ...]:
        """The encoder."""
        return (self._picture,)

    @property
    def providers(self) -> tuple[str, ...]:
        """What it runs on, best first."""
        return self._session.providers

    def judge(self, images: Sequence[Answers]) -> list[ModelOutput | NafudaError]:
        """An error where there is no vector of the graph's width."""
        vectors = [answers[self._picture].vector if self._picture in answers else None for answers in images]
        good = [vector is not None and vector.shape == (self._width,) for vector in vectors]
        fed = np.zeros((len(images), self._width), np.float32)
        for row, (vector, ok) in enumerate(zip(vectors, good, strict=True)):
            if ok and vector is not None:
                fed[row] = vector
        raw = np.asarray(self._session.run({self._input: fed})[self._output], np.float32).reshape(len(images), -1)
        found: list[ModelOutput | NafudaError] = []
        for ok, numbers in zip(good, raw, strict=True):
            if not ok:
                found.append(_lacking(self._picture, f"vector of {self._width} numbers"))
                continue
            try:
                found.append(figures(self.labels, finite(numbers)))
            except PermanentError as error:
                found.append(error)
        return found
