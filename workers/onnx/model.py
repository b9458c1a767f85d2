"""A graph joined with its manifest: a batch's pixels go in, the output that the manifest names comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ManifestError
from schemas.models import Label, Manifest
from workers.batching.batch import Batch
from workers.onnx.fit import mismatches, program_for, read_labels, tensor
from workers.onnx.session import Session
from workers.steps.batch import BatchProgram, run_batch
from workers.steps.program import InputProgram
from workers.steps.registry import Step

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A manifest and its graph, which fit together. fixed: the only batch size of the graph, or None."""

    manifest: Manifest
    session: Session
    labels: tuple[Label, ...]
    input_program: InputProgram
    batch_program: BatchProgram
    fixed: int | None

    def infer(self, batch: Batch) -> Floats:
        """The named output for the N images of a batch: (N, …) float32.

        ManifestError when the output's first dimension does not count the images.
        """
        if self.fixed is None:
            return self._run(batch.pixels)[: len(batch)]
        # Freeing a fixed first dimension in the graph gives wrong results, so it runs piece by piece.
        wanted = batch.pixels[: len(batch)]
        starts = range(0, len(batch), self.fixed)
        return np.concatenate([self._piece(wanted[start : start + self.fixed], self.fixed) for start in starts])

    def _piece(self, pixels: NDArray[np.uint8], fixed: int) -> Floats:
        count = len(pixels)
        if count < fixed:
            pixels = np.concatenate([pixels, np.zeros((fixed - count, *pixels.shape[1:]), np.uint8)])
        return self._run(pixels)[:count]

    def _run(self, pixels: NDArray[np.uint8]) -> Floats:
        feed = run_batch(pixels, self.batch_program)
        output = self.session.run({self.manifest.input.name: feed})[self.manifest.output.name]
        if output.ndim == 0 or output.shape[0] != len(pixels):
            raise ManifestError(
                f"{self.manifest.id}: output {self.manifest.output.name!r} has the shape {output.shape} for "
                f"{len(pixels)} images; the first dimension must count images"
            )
        return output.astype(np.float32, copy=False)


def join(manifest: Manifest, paths: Mapping[str, Path], session: Session) -> OnnxModel:
    """Check a manifest against its graph. ManifestError lists everything that does not fit."""
    wrong = mismatches(manifest, session)
    if wrong:
        raise ManifestError(f"{manifest.id}: the graph is not what the manifest says: {'; '.join(wrong)}")
    return OnnxModel(
        manifest=manifest,
        session=session,
        labels=read_labels(manifest, paths, session),
        input_program=program_for(manifest, session),
        batch_program=_batch_program(manifest),
        fixed=tensor(session.inputs, manifest.input.name).shape[0],
    )


def _batch_program(manifest: Manifest) -> BatchProgram:
    try:
        return BatchProgram(tuple(Step(step.op, step.params) for step in manifest.batch_steps))
    except ManifestError as error:
        raise ManifestError(f"{manifest.id}: batch_steps: {error}") from error
