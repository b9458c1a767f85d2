"""What an image costs on the CPU in batches of several sizes, in time and memory: `python -m benchmarks.batch_sizes`.

For each size every core runs all sample models of pictures in a process of its own, as in the ceiling of
benchmarks/pipeline.py, on the same drawings. `workers.runners.CPU_BATCH` is what it found.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.ceiling import pictures
from benchmarks.reconcile import resident
from infra.settings import read_settings
from tasks.models import load_active
from tasks.services import Services
from workers.batching.batch import Batch, Runner
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode
from workers.runners import CPU_BATCH, RUNNERS
from workers.steps.geometry import Geometry
from workers.steps.program import run_program

_SIZES = (1, 2, 4, 8, 16, 32)
_ROUNDS = 3
_LONGEST = 640  # pixels: what it was before it became an input does not matter here


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds an image by model, and the MiB that a process gained from its first batch to its last."""

    models: dict[str, float]
    mib: float


def measure(paths: Sequence[Path], size: int) -> Cost:
    """Of batches of this size, every core at it. The first round, in which memory is taken, does not count."""
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        costs = list(pool.map(partial(_cost, paths), [size] * cores))
    models = {name: sum(cost.models[name] for cost in costs) / cores for name in costs[0].models}
    return Cost(models, sum(cost.mib for cost in costs) / cores)


def _cost(paths: Sequence[Path], size: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        active = load_active(Services(read_settings(os.environ, data=Path(folder))))
    runners = [(each.manifest.id, cast(Runner, each.runner)) for each in active if each.manifest.runner in RUNNERS]
    images = [decode(path.read_bytes(), DecodeLimits()).image for path in paths]
    batches = {}
    for name, runner in runners:
        batches[name] = _batches([run_program(image, runner.program) for image in images], size)
    before = resident("VmRSS")
    models = dict.fromkeys(batches, 0.0)
    for number in range(_ROUNDS + 1):
        for name, runner in runners:
            began = time.process_time()
            for batch in batches[name]:
                runner.forward(batch)
            models[name] += (time.process_time() - began) * (number > 0)
    each = 1000 / (_ROUNDS * len(paths))
    return Cost({name: spent * each for name, spent in models.items()}, resident("VmRSS") - before)


def _batches(inputs: Sequence[tuple[NDArray[np.uint8], Geometry]], size: int) -> list[Batch]:
    chunks = [inputs[first : first + size] for first in range(0, len(inputs), size)]
    return [Batch(np.stack([pixels for pixels, _ in chunk]), tuple(shape for _, shape in chunk)) for chunk in chunks]


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths = pictures(options.images, Path(name), _LONGEST)
        costs = {size: measure(paths, size) for size in _SIZES}
    print(f"{options.images} images; CPU ms an image in batches of …; on a CPU they are at most {CPU_BATCH}")
    print(f"{'':28}" + "".join(f"{size:>8}" for size in _SIZES))
    for model in costs[1].models:
        print(f"{model:28}" + "".join(f"{cost.models[model]:8.2f}" for cost in costs.values()))
    print(f"{'all':28}" + "".join(f"{sum(cost.models.values()):8.2f}" for cost in costs.values()))
    print(f"{'memory gained, MiB':28}" + "".join(f"{cost.mib:8.0f}" for cost in costs.values()))


if __name__ == "__main__":
    main()
