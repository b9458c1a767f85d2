"""What decoding and inference alone would allow on the cores of this machine, and pictures to measure it with.

ceiling = cores × 1000 / (decode ms + inference ms), both CPU milliseconds an image, measured in the same run with every
core at it (two cores share a cache, often more: one alone is a fifth faster than it ever is in service).
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infra.settings import read_settings
from schemas.results import ModelOutput
from tasks.models import load_active
from tasks.services import Services
from training.samples import draw
from workers.batching.batch import Batch, Runner
from workers.decode.facts import describe
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode
from workers.runners import CPU_BATCH, RUNNERS
from workers.scoring.answers import AnswerRunner
from workers.steps.geometry import Geometry
from workers.steps.program import InputProgram, run_program

_SEED = 2_000_000
_KINDS = 40
_BATCH = CPU_BATCH
_Inputs = Mapping[InputProgram, tuple[NDArray[np.uint8], Geometry]]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """CPU milliseconds an image of the parts that nobody can leave out, and of what ingest makes beside them.

    models: of each one's inference, in batches as in service.
    """

    decode: float
    models: dict[str, float]
    facts: float
    cores: int

    @property
    def inference(self) -> float:
        """Of all models."""
        return sum(self.models.values())

    @property
    def images_per_second(self) -> float:
        """What all cores could do if nothing else had to be done."""
        return self.cores * 1000 / (self.decode + self.inference)


def mean(one: Ceiling, other: Ceiling) -> Ceiling:
    """Of two measurements on the same cores."""
    return Ceiling(
        (one.decode + other.decode) / 2,
        {name: (spent + other.models[name]) / 2 for name, spent in one.models.items()},
        (one.facts + other.facts) / 2,
        one.cores,
    )


def pictures(count: int, folder: Path, longest: int) -> list[Path]:
    """Drawings, 2 MP at 1664, with a little grain, so that JPEG has something to do and every content is new."""
    grain = np.random.default_rng(7)
    kinds = [draw(_SEED + number).image for number in range(min(count, _KINDS))]
    paths = []
    for number in range(count):
        drawn = kinds[number % _KINDS]
        scale = longest / max(drawn.size)
        big = drawn.resize((round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.BICUBIC)
        pixels = np.asarray(big).astype(np.int16)
        pixels += grain.integers(-6, 7, (pixels.shape[0], pixels.shape[1], 1), np.int16)
        paths.append(folder / f"{number:05}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=88)
    return paths


def megapixels(paths: Sequence[Path]) -> float:
    """Of a picture, on average."""
    total = 0
    for path in paths:
        with Image.open(path) as image:
            total += image.width * image.height
    return round(total / len(paths) / 1e6, 2)


def measure_ceiling(paths: Sequence[Path]) -> Ceiling:
    """What decoding and inference cost while every core does them: a core alone is faster than one beside others."""
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        shares = list(pool.map(_spent, [paths[core::cores] for core in range(cores)]))
    each = 1000 / len(paths)
    models = {name: sum(share.models[name] for share in shares) * each for name in shares[0].models}
    return Ceiling(
        sum(share.decoding for share in shares) * each, models, sum(share.facts for share in shares) * each, cores
    )


@dataclass(frozen=True, slots=True)
class _Spent:
    """CPU seconds of decoding with all inputs, of each model in batches, and of thumbnail, hashes and colours."""

    decoding: float
    models: dict[str, float]
    facts: float


def _spent(paths: Sequence[Path]) -> _Spent:
    with tempfile.TemporaryDirectory() as folder:
        active = load_active(Services(read_settings(os.environ, data=Path(folder))))
    seen = [each for each in active if each.manifest.runner in RUNNERS]
    seeing = [(each.manifest.id, cast(Runner, each.runner)) for each in seen]
    judges = [(each.manifest.id, cast(AnswerRunner, each.runner)) for each in active if each not in seen]
    programs = tuple({runner.program: None for _, runner in seeing})  # models with the same input share it
    limits, contents = DecodeLimits(), [path.read_bytes() for path in paths]
    decoding, facts = 0.0, 0.0
    inputs: list[_Inputs] = []
    for content in contents:  # one after the other, as the decoders do: keeping pictures would cost fresh memory
        started = time.process_time()
        decoded = decode(content, limits, late_colours=True)
        inputs.append({program: run_program(decoded.image, program, decoded.correct) for program in programs})
        between = time.process_time()
        describe(decoded)
        hashlib.sha256(content).hexdigest()
        decoding, facts = decoding + between - started, facts + time.process_time() - between
    _inferred(inputs[:_BATCH], seeing, judges)  # in service they have their memory already
    spent = [_inferred(inputs[first : first + _BATCH], seeing, judges) for first in range(0, len(inputs), _BATCH)]
    models = {name: sum(each[name] for each in spent) for name in spent[0]}
    return _Spent(decoding, models, facts)


def _inferred(
    rows: Sequence[_Inputs], seeing: Sequence[tuple[str, Runner]], judges: Sequence[tuple[str, AnswerRunner]]
) -> dict[str, float]:
    """CPU seconds of each model on a batch."""
    models = {}
    answers: list[dict[str, ModelOutput]] = [{} for _ in rows]
    for name, runner in seeing:
        started = time.process_time()
        chunk = [row[runner.program] for row in rows]
        found = runner.forward(Batch(np.stack([pixels for pixels, _ in chunk]), tuple(shape for _, shape in chunk)))
        models[name] = time.process_time() - started
        for known, output in zip(answers, found, strict=True):
            if isinstance(output, ModelOutput):
                known[name] = output
    for name, judge in judges:
        started = time.process_time()
        judge.judge(answers)
        models[name] = time.process_time() - started
    return models
