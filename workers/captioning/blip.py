"""BLIP captioners through transformers (extra `caption`): the files lie in the models folder, nothing is downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError, ManifestError, NafudaError, PermanentError
from schemas.models import Label, Manifest
from schemas.results import ModelOutput
from workers.batching.batch import Batch
from workers.onnx.dry_run import black
from workers.steps.program import InputProgram
from workers.steps.registry import Step

if TYPE_CHECKING:
    import torch

_NEEDED = "config.json"


class Blip:
    """A Runner for captioning with a `BlipForConditionalGeneration`; greedy, so the same every time (R8)."""

    def __init__(self, manifest: Manifest, paths: Mapping[str, Path]) -> None:
        size = manifest.input.size
        if size is None or _NEEDED not in paths:
            raise ManifestError(f"{manifest.id}: set input.size = [height, width], and list {_NEEDED} in source.files")
        steps = tuple(Step(step.op, {"size": size, **step.params}) for step in manifest.image_steps)
        self._program = InputProgram(steps, size)
        self._category = manifest.labels.category
        self._most = int(str(manifest.output.params["max_tokens"]))
        self._torch, self._model, self._processor = _load(manifest.id, paths[_NEEDED].parent)
        self.forward(black(size, 1))

    @property
    def labels(self) -> tuple[Label, ...]:
        """One label: what its sentences are called."""
        return (Label(self._category, self._category),)

    @property
    def program(self) -> InputProgram:
        """The image steps that its input needs."""
        return self._program

    @property
    def providers(self) -> tuple[str, ...]:
        """Where torch runs it."""
        return (self._model.device.type,)

    def forward(self, batch: Batch) -> list[ModelOutput | NafudaError]:
        """One sentence for each image; its score is the geometric mean of its words' probabilities."""
        pictures: list[NDArray[np.uint8]] = list(batch.pixels[: len(batch)])
        fed = self._processor(images=pictures, return_tensors="pt").to(self._model.device)
        with self._torch.inference_mode():
            told = self._model.generate(
                pixel_values=fed["pixel_values"], max_new_tokens=self._most, do_sample=False, num_beams=1,
                output_scores=True, return_dict_in_generate=True,
            )  # fmt: skip
        texts = self._processor.batch_decode(told.sequences, skip_special_tokens=True)
        return [_answer(text, sure) for text, sure in zip(texts, self._sureness(told), strict=True)]

    def _sureness(self, told: Any) -> NDArray[np.float64]:
        """Geometric means of the words' probabilities, what fills up after the end left out."""
        steps = self._model.compute_transition_scores(told.sequences, told.scores, normalize_logits=True)
        logs = steps.float().cpu().numpy()
        # By the ids: the filling has a probability like any word.
        ends = told.sequences[:, -logs.shape[1] :].cpu().numpy() == self._model.config.text_config.sep_token_id
        known = np.isfinite(logs) & (np.cumsum(ends, 1) - ends == 0)
        counts = np.maximum(known.sum(1), 1)
        found: NDArray[np.float64] = np.exp(np.where(known, logs, 0.0).sum(1) / counts)
        return found


def _answer(text: str, sure: float) -> ModelOutput | NafudaError:
    plain = " ".join(text.split())
    if not plain:
        return PermanentError("the captioner gave an empty text for this image", code="bad-output")
    sentence = plain[:1].upper() + plain[1:] + ("" if plain.endswith(".") else ".")
    score = np.array([min(1.0, max(0.0, float(sure)))], np.float32)
    return ModelOutput(np.zeros(1, np.int16), score, texts=(sentence,))


def _load(name: str, folder: Path) -> tuple[Any, Any, Any]:
    try:
        import torch
        from transformers import BlipForConditionalGeneration, BlipProcessor
    except ImportError as error:
        raise ConfigurationError(f"{name} needs transformers and torch: pip install 'nafuda[caption]'") from error
    try:
        # weights_only: a pickle of the hub may hold tensors and nothing that runs.
        model = BlipForConditionalGeneration.from_pretrained(folder, local_files_only=True, weights_only=True)
        processor = BlipProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, EOFError, UnpicklingError) as error:
        raise ManifestError(f"{name}: transformers cannot load {folder}: {error}") from error
    device: torch.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch, model.to(device).eval(), processor
