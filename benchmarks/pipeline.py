"""The whole path, upload to searchable, against the ceiling that decoding and inference alone would allow.

    python -m benchmarks.pipeline [--images 400] [--longest 1664] [--json FILE]

ceiling = cores × 1000 / (decode ms + inference ms), both CPU milliseconds an image, measured in the same run with every
core at it (two cores share a cache, often more: one alone is a fifth faster than it ever is in service). What
each process spends is read from /proc, so that it adds up to the whole.
"""

import argparse
import hashlib
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from infra.settings import read_settings
from schemas.results import ModelOutput
from schemas.search import SearchRequest, Viewer, parse
from tasks.models import load_active
from tasks.services import Services
from tests.e2e.instance import Instance, wait_for
from training.samples import draw
from workers.batching.batch import Batch, Runner
from workers.decode.facts import describe
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode
from workers.runners import RUNNERS
from workers.scoring.answers import AnswerRunner
from workers.steps.program import run_program

_SEED = 2_000_000
_TICK = os.sysconf("SC_CLK_TCK")
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Ceiling:
    """CPU milliseconds an image of the parts that nobody can leave out, and of what ingest makes beside them."""

    decode: float
    inference: float
    facts: float
    cores: int

    @property
    def images_per_second(self) -> float:
        """What all cores could do if nothing else had to be done."""
        return self.cores * 1000 / (self.decode + self.inference)


@dataclass(frozen=True, slots=True)
class Report:
    """Rates are images a second, times milliseconds an image."""

    images: int
    megapixels: float
    ceiling: Ceiling
    ceiling_rate: float
    end_to_end_rate: float
    share: float
    cpu_decoders: float
    cpu_python_outside: float
    cpu_database: float
    latency_median: float
    latency_p95: float


def pictures(count: int, folder: Path, longest: int) -> list[Path]:
    """Drawings, 2 MP at 1664, with a little grain, so that JPEG has something to do and every content is new."""
    grain = np.random.default_rng(7)
    paths = []
    for number in range(count):
        drawn = draw(_SEED + number % 40).image
        scale = longest / max(drawn.size)
        big = drawn.resize((round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.BICUBIC)
        pixels = np.asarray(big).astype(np.int16)
        pixels += grain.integers(-6, 7, (pixels.shape[0], pixels.shape[1], 1), np.int16)
        paths.append(folder / f"{number:05}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=88)
    return paths


def measure_ceiling(paths: Sequence[Path]) -> Ceiling:
    """What decoding and inference cost while every core does them: a core alone is faster than one beside others."""
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        shares = list(pool.map(_spent, [paths[core::cores] for core in range(cores)]))
    decoding, inference, facts = (sum(column) * 1000 / len(paths) for column in zip(*shares, strict=True))
    return Ceiling(decoding, inference, facts, cores)


def _spent(paths: Sequence[Path]) -> tuple[float, float, float]:
    """CPU seconds of decoding with all inputs, of inference in batches, and of thumbnail, hashes and colours."""
    with tempfile.TemporaryDirectory() as folder:
        active = load_active(Services(read_settings(os.environ, data=Path(folder))))
    seeing = [(each.manifest.id, cast(Runner, each.runner)) for each in active if each.manifest.runner in RUNNERS]
    judges = [cast(AnswerRunner, each.runner) for each in active if each.manifest.runner not in RUNNERS]
    programs = tuple({runner.program: None for _, runner in seeing})  # models with the same input share it
    limits, contents = DecodeLimits(), [path.read_bytes() for path in paths]
    decoding, facts, inputs = 0.0, 0.0, []
    for content in contents:  # one after the other, as the decoders do: keeping pictures would cost fresh memory
        started = time.process_time()
        decoded = decode(content, limits, late_colours=True)
        inputs.append({program: run_program(decoded.image, program, decoded.correct) for program in programs})
        between = time.process_time()
        describe(decoded)
        hashlib.sha256(content).hexdigest()
        decoding, facts = decoding + between - started, facts + time.process_time() - between
    started = time.process_time()
    for first in range(0, len(inputs), _BATCH):
        rows = inputs[first : first + _BATCH]
        answers: list[dict[str, ModelOutput]] = [{} for _ in rows]
        for name, runner in seeing:
            chunk = [row[runner.program] for row in rows]
            found = runner.forward(Batch(np.stack([pixels for pixels, _ in chunk]), tuple(shape for _, shape in chunk)))
            for known, output in zip(answers, found, strict=True):
                if isinstance(output, ModelOutput):
                    known[name] = output
        for judge in judges:
            judge.judge(answers)
    inference = time.process_time() - started
    return decoding, inference, facts


def cpu_seconds(instance: Instance) -> dict[str, float]:
    """CPU time so far by kind of process: decoders, python (all our others), database."""
    assert instance.process is not None
    spent = {"decoders": 0.0, "python": 0.0, "database": 0.0}
    for pid, command in instance.processes():
        kind = "decoders" if "workers.decode.child" in command else "python" if "nafuda" in command else "database"
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue  # a database session that ended meanwhile: its parent has its time
        # Own time, and that of children that ended (database sessions come and go).
        spent[kind] += sum(map(int, fields[11:15] if kind == "database" else fields[11:13])) / _TICK
    return spent


def throughput(instance: Instance, paths: Sequence[Path]) -> float:
    """Seconds from the first file's appearance in the bucket until everything is complete and searchable."""
    bucket = instance.folder / "buckets" / "images"
    staged = [instance.folder / "buckets" / f".staged-{path.name}" for path in paths]
    for path, place in zip(paths, staged, strict=True):
        place.write_bytes(path.read_bytes())
    before = _searchable(instance)
    started = time.perf_counter()
    for path, place in zip(paths, staged, strict=True):
        place.rename(bucket / path.name)
    wait_for(lambda: _searchable(instance) >= before + len(paths), 900, instance.logs)
    return time.perf_counter() - started


def _searchable(instance: Instance) -> int:
    query = "SELECT count(*) FROM records r JOIN index_state i ON i.record = r.id AND i.indexed = i.revision"
    return int(instance.sql(f"{query} WHERE r.status = 'complete' AND r.dirty = r.merged")[0][0])


def latencies(instance: Instance, paths: Sequence[Path]) -> list[float]:
    """Seconds from put to searchable with all its tags, one image at a time on an idle machine."""
    spent = []
    with instance.services() as services:
        for path in paths:
            time.sleep(0.5)
            content = path.read_bytes()
            request = SearchRequest(parse(f"sha:{hashlib.sha256(content).hexdigest()} status:complete"), Viewer())
            started = time.perf_counter()
            services.store.put("images", f"idle/{path.name}", io.BytesIO(content))
            while not services.index.hits(request).hits:
                time.sleep(0.01)
            spent.append(time.perf_counter() - started)
    return spent


def run(images: int, longest: int) -> Report:
    """Measure everything in one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = pictures(images + 36, folder, longest)
        warm, idle, measured = paths[:16], paths[16:36], paths[36:]
        with Image.open(measured[0]) as first:
            megapixels = first.width * first.height / 1e6
        ceiling = measure_ceiling(measured[: min(100, images)])
        instance = Instance(folder / "data", "--no-samples").start()
        try:
            throughput(instance, warm)
            waited = latencies(instance, idle)
            before = cpu_seconds(instance)
            seconds = throughput(instance, measured)
            after = cpu_seconds(instance)
        finally:
            instance.stop()
    spent = {kind: (after[kind] - before[kind]) * 1000 / images for kind in after}
    rate = images / seconds
    return Report(
        images=images,
        megapixels=round(megapixels, 2),
        ceiling=ceiling,
        ceiling_rate=ceiling.images_per_second,
        end_to_end_rate=rate,
        share=rate / ceiling.images_per_second,
        cpu_decoders=spent["decoders"],
        cpu_python_outside=spent["python"] - ceiling.inference,
        cpu_database=spent["database"],
        latency_median=statistics.median(waited) * 1000,
        latency_p95=sorted(waited)[int(len(waited) * 0.95)] * 1000,
    )


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--longest", type=int, default=1664, help="longer side of the pictures in pixels")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report = run(options.images, options.longest)
    c = report.ceiling
    print(f"{report.images} JPEG of {report.megapixels} MP on {c.cores} cores; CPU ms an image:")
    print(f"  decode and inputs {c.decode:.1f}, inference {c.inference:.1f}; thumbnail, hashes, colours {c.facts:.1f}")
    print(f"  in the run: decoders {report.cpu_decoders:.1f}, Python outside decode and inference "
          f"{report.cpu_python_outside:.1f}, database {report.cpu_database:.1f}")  # fmt: skip
    print(f"ceiling {report.ceiling_rate:.1f} images/s, end to end {report.end_to_end_rate:.1f}: {report.share:.0%}")
    print(f"upload to searchable, idle: median {report.latency_median:.0f} ms, p95 {report.latency_p95:.0f} ms")
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=1))


if __name__ == "__main__":
    main()
