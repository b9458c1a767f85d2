"""A live upload while many images wait for a backfill, against the idle machine.

    python -m benchmarks.backfill [--stack real] [--waiting 20000] [--live 40] [--idle 20] [--json FILE]

Waiting images are drawings with bytes of their own (a remark in the JPEG), in the bucket and in the records as after an
ingest whose models have not spoken; `nafuda backfill` plans all of them. Then live uploads follow one another while the
backfill is at work; they need not wait for its end. The aim: p95 <= idle p95 + two batches + 1 s, where a batch is the
time in which the whole machine, busy with the backfill alone, does one chunk.

On the real stack RabbitMQ, MinIO (without its spool, which is read every 3 s), PostgreSQL and OpenSearch are on the
same cores; the bucket tells of what is put into it from when those that wait are there.
"""

import argparse
import hashlib
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from benchmarks.looks import published
from benchmarks.servers import on_real_servers
from infra.embedded.postgres import EmbeddedPostgres
from infra.settings import read_settings
from schemas.events import EventKind, ObjectEvent
from schemas.images import ImageFacts, ObjectHead
from schemas.ledger import BACKFILL, Found
from schemas.search import SearchRequest, Viewer, parse
from tasks.services import Services
from tests.e2e.drawings import drawn, remarked
from tests.e2e.instance import Instance, wait_for
from tests.stack.telling import client, make_telling
from workers.decode.facts import describe
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode

_SEED = 3_000_000
_KINDS = 40  # different drawings among those that wait
_PAGE = 500
_WARM_UP = 10.0  # seconds of backfill before the first live upload
_BUCKET = "images"


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from the put until an image is found at all, and until it is found complete."""

    found: float
    complete: float


@dataclass(frozen=True, slots=True)
class Report:
    """Seconds; `p95` of few measurements is the nearest one above."""

    waiting: int
    still_waiting: int
    rate: float
    batch: float
    idle_median: float
    idle_p95: float
    live_median: float
    live_p95: float
    idle_found_p95: float
    live_found_p95: float

    @property
    def aim(self) -> float:
        """What the live p95 may be."""
        return self.idle_p95 + 2 * self.batch + 1


@contextmanager
def parts(instance: Instance, database: str) -> Iterator[Services]:
    """What an instance works with."""
    settings = read_settings(os.environ, data=instance.folder, database_url=database)
    with closing(Services(settings)) as services:
        yield services


@contextmanager
def stopped(instance: Instance) -> Iterator[Services]:
    """The records of an instance that does not run."""
    if given := os.environ.get("NAFUDA_DATABASE_URL"):
        with parts(instance, given) as services:
            yield services
        return
    postgres = EmbeddedPostgres(instance.folder / "postgres", instance.folder / "logs" / "postgres.log")
    postgres.start()
    try:
        with parts(instance, postgres.conninfo) as services:
            yield services
    finally:
        postgres.stop()


def fill(services: Services, count: int) -> None:
    """Images that were ingested, and of which no model has spoken."""
    kinds = [drawn(_SEED + number) for number in range(min(_KINDS, count))]
    facts = [describe(decode(kind, DecodeLimits())) for kind in kinds]
    for first in range(0, count, _PAGE):
        numbers = range(first, min(count, first + _PAGE))
        contents = {f"old/{n:06}.jpg": remarked(kinds[n % len(kinds)], f"copy {n}") for n in numbers}
        heads = put_all(services, contents)
        digests = {key: hashlib.sha256(content).hexdigest() for key, content in contents.items()}
        take(services, heads, digests, {key: facts[int(key[4:10]) % len(facts)] for key in digests})
    with services.pool.connection() as connection:
        connection.execute("DELETE FROM work")  # as if the models had come into force afterwards


def put_all(services: Services, contents: Mapping[str, bytes]) -> Mapping[str, ObjectHead]:
    """Several at a time; into a folder without waiting for the disk."""

    def put(key: str) -> ObjectHead:
        if services.settings.s3_endpoint is not None:
            return services.store.put(_BUCKET, key, contents[key])
        path = services.settings.buckets_folder / _BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents[key])
        head = services.store.head(_BUCKET, key)
        assert head is not None
        return head

    with ThreadPoolExecutor(8) as threads:
        return dict(zip(contents, threads.map(put, contents), strict=True))


def take(
    services: Services, heads: Mapping[str, ObjectHead], digests: Mapping[str, str], facts: Mapping[str, ImageFacts]
) -> None:
    """What ingest does once it has read and decoded them."""
    services.objects.note([ObjectEvent(EventKind.CREATED, _BUCKET, key) for key in digests], BACKFILL)
    with services.pool.connection() as connection:
        query = "SELECT id, key, checks FROM objects WHERE key = ANY (%s)"
        rows = connection.execute(query, (list(digests),)).fetchall()
    services.objects.found(
        [Found(number, checks, heads[key], digests[key], facts[key], None, BACKFILL) for number, key, checks in rows]
    )


def upload(services: Services, content: bytes, key: str) -> Waits:
    """Put one image in and wait until it is found, and found complete."""
    digest = hashlib.sha256(content).hexdigest()
    asked = [SearchRequest(parse(f"sha:{digest}{more}"), Viewer()) for more in ("", " status:complete")]
    started = time.perf_counter()
    services.store.put(_BUCKET, key, io.BytesIO(content))
    spent = []
    for request in asked:
        while not services.index.hits(request).hits:
            time.sleep(0.01)
        spent.append(time.perf_counter() - started)
    return Waits(*spent)


def uploads(instance: Instance, seeds: range) -> list[Waits]:
    """One after the other."""
    waits = []
    with parts(instance, instance.note["database_url"]) as services:
        for seed in seeds:
            time.sleep(0.3)
            waits.append(upload(services, drawn(_SEED - 1 - seed), f"live/{seed:04}.jpg"))
    return waits


def wait_until_published(instance: Instance) -> None:
    """Those that wait are to be in the search first: their merging is no part of a backfill."""
    with psycopg.connect(instance.note["database_url"], autocommit=True) as database:
        wait_for(lambda: published(database), 900, instance.logs)


def waiting(instance: Instance) -> int:
    """Images with work that is to be done for the backfill."""
    return int(instance.sql("SELECT count(DISTINCT subject) FROM work WHERE priority > 0")[0][0])


def rate(instance: Instance, seconds: float) -> float:
    """Images a second that the backfill finishes while nothing else is asked."""
    before, started = waiting(instance), time.perf_counter()
    time.sleep(seconds)
    return (before - waiting(instance)) / (time.perf_counter() - started)


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


def run(count: int, idle: int, live: int, *, real: bool) -> Report:
    """Measure everything in one run. real: on the real stack."""
    with (
        tempfile.TemporaryDirectory() as name,
        on_real_servers(Path(name) / "stack", spool=False) if real else nullcontext(),
    ):
        instance = Instance(Path(name) / "data", "--no-samples").start()
        instance.stop()
        with stopped(instance) as services:
            fill(services, count)
            chunk = services.settings.chunk
        if real:
            with client() as s3:
                make_telling(s3, _BUCKET)
        instance.start()
        try:
            wait_until_published(instance)
            uploads(instance, range(3))  # warms up
            alone = uploads(instance, range(10, 10 + idle))
            done = instance.cli("backfill")
            assert done.returncode == 0, done.stderr
            print(done.stdout.strip(), flush=True)
            wait_for(lambda: 0 < waiting(instance) < count, 120, instance.logs)
            time.sleep(_WARM_UP)
            speed = rate(instance, _WARM_UP)
            beside = uploads(instance, range(1000, 1000 + live))
            left = waiting(instance)
        finally:
            instance.stop()
    return Report(
        waiting=count,
        still_waiting=left,
        rate=speed,
        batch=chunk / speed,
        idle_median=statistics.median(each.complete for each in alone),
        idle_p95=p95([each.complete for each in alone]),
        live_median=statistics.median(each.complete for each in beside),
        live_p95=p95([each.complete for each in beside]),
        idle_found_p95=p95([each.found for each in alone]),
        live_found_p95=p95([each.found for each in beside]),
    )


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", choices=("embedded", "real"), default="embedded")
    parser.add_argument("--waiting", type=int, default=20_000)
    parser.add_argument("--live", type=int, default=40)
    parser.add_argument("--idle", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report = run(options.waiting, options.idle, options.live, real=options.stack == "real")
    verdict = "met" if report.live_p95 <= report.aim else "NOT met"
    print(f"{report.waiting:,} images waited, {report.still_waiting:,} at the end of the uploads")
    print(f"backfill alone: {report.rate:.1f} images/s, a batch {report.batch:.2f} s")
    print(f"idle: complete after {report.idle_median:.2f} s, p95 {report.idle_p95:.2f} s")
    print(f"beside it: complete after {report.live_median:.2f} s, p95 {report.live_p95:.2f} s")
    print(f"found at all, p95: idle {report.idle_found_p95:.2f} s, beside it {report.live_found_p95:.2f} s")
    print(f"aim {report.aim:.2f} s: {verdict}")
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=1))


if __name__ == "__main__":
    main()
