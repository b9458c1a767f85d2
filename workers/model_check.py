"""The check of one model: does it load and run, what does its graph really want, and how fast is it here."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from schemas.errors import NafudaError
from schemas.models import Manifest
from workers.batching.batch import Runner
from workers.onnx.dry_run import black
from workers.onnx.fit import mismatches
from workers.onnx.session import Tensor
from workers.runners import OWN_RUNNERS, RUNNERS, Opening, runner_on


@dataclass(frozen=True, slots=True)
class Timing:
    """Median milliseconds for one image of a batch of this size, on black images."""

    batch: int
    millis: float


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """One block of `nafuda models check`. error: "" when the model loads, runs and fits its manifest."""

    id: str
    error: str
    mismatches: tuple[str, ...] = ()
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    metadata: Mapping[str, str] | None = None
    providers: tuple[str, ...] = ()
    labels: int = 0
    timings: tuple[Timing, ...] = ()

    @property
    def passed(self) -> bool:
        """True when there is nothing to mend."""
        return not self.error


def check_model(
    manifest: Manifest,
    paths: Mapping[str, Path],
    providers: Sequence[str] = ("auto",),
    threads: int = 1,
    runs: int = 5,
) -> ModelCheck:
    """Load, compare, dry-run and time a model. Never raises a NafudaError: it becomes `error`."""
    opening = Opening(manifest, paths, providers, threads)
    if manifest.runner in OWN_RUNNERS:
        return _check_own(opening, runs)
    try:
        session = opening.session()
    except NafudaError as error:
        return ModelCheck(manifest.id, str(error))
    wrong = tuple(mismatches(manifest, session)) if manifest.runner in RUNNERS else ()
    said, labels = "", 0
    timings: tuple[Timing, ...] = ()
    try:
        runner = runner_on(opening, session)
        labels = len(runner.labels)
        if manifest.runner in RUNNERS:
            timings = tuple(_time(cast(Runner, runner), size, runs) for size in _sizes(manifest))
    except NafudaError as error:
        said = str(error)
    return ModelCheck(
        id=manifest.id,
        error=said,
        mismatches=wrong,
        inputs=session.inputs,
        outputs=session.outputs,
        metadata=session.metadata,
        providers=session.providers,
        labels=labels,
        timings=timings,
    )


def _check_own(opening: Opening, runs: int) -> ModelCheck:
    """A model that loads its files by itself: it can be run and timed, there is no graph to look at."""
    try:
        runner = OWN_RUNNERS[opening.manifest.runner](opening)
        timings = tuple(_time(runner, size, runs) for size in _sizes(opening.manifest))
    except NafudaError as error:
        return ModelCheck(opening.manifest.id, str(error))
    return ModelCheck(opening.manifest.id, "", providers=runner.providers, labels=len(runner.labels), timings=timings)


def _sizes(manifest: Manifest) -> list[int]:
    preferred = manifest.batch.preferred or (min(manifest.batch.max, 8),)
    return sorted({1, *preferred})


def _time(runner: Runner, size: int, runs: int) -> Timing:
    batch = black(runner.program.size, size)
    runner.forward(batch)
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        runner.forward(batch)
        taken.append(time.perf_counter() - started)
    return Timing(size, sorted(taken)[len(taken) // 2] * 1000 / size)
