"""The whole path, upload to searchable, against the ceiling that decoding and inference alone would allow.

    python -m benchmarks.pipeline [--images 400] [--rounds 3] [--longest 1664] [--json FILE]
    python -m benchmarks.pipeline --stack real [--device samples|timed] [--batch 20] [--far 0] [--images N] [--rounds N]

The ceiling is that of benchmarks/ceiling.py, measured before and after each round: a round's share is of the mean of
both, as shared machines are slower at one moment than at the next. What each process spends is read from /proc, so that
it adds up to the whole. On the real stack, benchmarks/on_stack.py says what is measured; a timed device takes --batch
milliseconds for at most 32 images, and no CPU; --far puts so many milliseconds between the workers and MinIO, each way.
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
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from benchmarks import on_stack
from benchmarks.ceiling import Ceiling, mean, measure_ceiling, megapixels, pictures
from benchmarks.looks import idle, searchable
from schemas.search import SearchRequest, Viewer, parse
from tests.e2e.instance import Instance, wait_for

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Round:
    """Images a second, end to end; the mean ceiling around it; CPU milliseconds an image by kind of process."""

    rate: float
    ceiling: Ceiling
    cpu: dict[str, float]

    @property
    def share(self) -> float:
        """Of the ceiling."""
        return self.rate / self.ceiling.images_per_second

    @property
    def outside(self) -> float:
        """Milliseconds of Python outside decoding and inference."""
        return self.cpu["python"] - self.ceiling.inference


@dataclass(frozen=True, slots=True)
class Report:
    """Times in milliseconds from a put to searchable on the idle machine; rounds of so many images each."""

    images: int
    megapixels: float
    rounds: tuple[Round, ...]
    latency_median: float
    latency_p95: float

    @property
    def typical(self) -> Round:
        """The round whose share lies in the middle; the lower one of two."""
        return sorted(self.rounds, key=lambda each: each.share)[(len(self.rounds) - 1) // 2]


def cpu_seconds(instance: Instance) -> dict[str, float]:
    """CPU time so far by kind of process: decoders, python (all our others), database."""
    assert instance.process is not None
    spent = {"decoders": 0.0, "python": 0.0, "database": 0.0}
    for pid, command in instance.processes():
        kind = "decoders" if "workers.decode.child" in command else "database" if "postgres" in command else "python"
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
    # One connection for all looks, and a short one while work is pending: they would cost the cores what is measured.
    with psycopg.connect(instance.note["database_url"], autocommit=True) as database:
        before = searchable(database)
        started = time.perf_counter()
        for path, place in zip(paths, staged, strict=True):
            place.rename(bucket / path.name)
        wait_for(lambda: idle(database) and searchable(database) >= before + len(paths), 900, instance.logs)
        return time.perf_counter() - started


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


def run(images: int, longest: int, rounds: int) -> Report:
    """Measure everything in one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = pictures(images * rounds + 36, folder, longest)
        warm, single, measured = paths[:16], paths[16:36], paths[36:]
        instance = Instance(folder / "data", "--no-samples").start()
        try:
            throughput(instance, warm)
            waited = latencies(instance, single)
            found = measure_rounds(instance, [measured[at * images : (at + 1) * images] for at in range(rounds)])
        finally:
            instance.stop()
    return Report(
        images=images,
        megapixels=megapixels(measured),
        rounds=tuple(found),
        latency_median=statistics.median(waited) * 1000,
        latency_p95=sorted(waited)[int(len(waited) * 0.95)] * 1000,
    )


def measure_rounds(instance: Instance, rounds: Sequence[Sequence[Path]]) -> list[Round]:
    """The ceiling and the path in turns, the ceiling on up to 100 of the pictures."""
    some = rounds[0][:100]
    last, found = measure_ceiling(some), []
    for paths in rounds:
        before = cpu_seconds(instance)
        seconds = throughput(instance, paths)
        after = cpu_seconds(instance)
        spent = {kind: (after[kind] - before[kind]) * 1000 / len(paths) for kind in after}
        earlier, last = last, measure_ceiling(some)
        found.append(Round(len(paths) / seconds, mean(earlier, last), spent))
    return found


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, help="in each round")
    parser.add_argument("--rounds", type=int, help="how many; 3, and 1 with a timed device")
    parser.add_argument("--longest", type=int, help="longer side of the pictures in pixels")
    parser.add_argument("--stack", choices=("embedded", "real"), default="embedded")
    parser.add_argument("--device", choices=("samples", "timed"), default="samples")
    parser.add_argument("--batch", type=float, default=20.0, help="milliseconds of the timed device for a batch")
    parser.add_argument("--far", type=int, default=0, help="milliseconds between the workers and MinIO, each way")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    timed = options.device == "timed"
    rounds: int = options.rounds if options.rounds is not None else 1 if timed else 3
    if rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    if timed and options.stack == "embedded":
        parser.error("the timed device is for --stack real")
    images, longest = options.images or (1500 if timed else 400), options.longest or (320 if timed else 1664)
    if options.stack == "real":
        each = on_stack.run(images, longest, rounds, options.batch if timed else None, options.far)
        print("\n".join(line for measured in each for line in measured.lines()))
        middle = statistics.median_low(measured.share for measured in each)
        print(f"median of {len(each)}: {middle:.0%} of the CPU ceiling")
        found: object = [asdict(measured) for measured in each]
    else:
        report = run(images, longest, rounds)
        show(report)
        found = asdict(report)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def show(report: Report) -> None:
    """Print it: the round in the middle in full, of the others their rates."""
    middle = report.typical
    c, cpu = middle.ceiling, middle.cpu
    print(f"{report.images} JPEG of {report.megapixels} MP on {c.cores} cores; CPU ms an image:")
    print(f"  decode and inputs {c.decode:.1f}, inference {c.inference:.1f}; thumbnail, hashes, colours {c.facts:.1f}")
    print("  models: " + ", ".join(f"{name.partition('/')[2]} {spent:.1f}" for name, spent in c.models.items()))
    print(f"  in the run: decoders {cpu['decoders']:.1f}, Python outside decode and inference {middle.outside:.1f}, "
          f"database {cpu['database']:.1f}")  # fmt: skip
    for each in report.rounds:
        print(f"ceiling {each.ceiling.images_per_second:.1f} images/s, end to end {each.rate:.1f}: {each.share:.0%}")
    print(f"median of {len(report.rounds)}: {middle.share:.0%}")
    print(f"upload to searchable, idle: median {report.latency_median:.0f} ms, p95 {report.latency_p95:.0f} ms")


if __name__ == "__main__":
    main()
