"""From the bucket to the search on the real stack: when the event is in the queue, and when the image is found.

    python -m benchmarks.arrival [--images 40] [--no-spool] [--json FILE]

Starts RabbitMQ, MinIO (whose notifications pass its spool, unless told otherwise), PostgreSQL and OpenSearch in a
folder of their own, and Nafuda on them. Images are put one at a time on the idle machine; a second queue tells when
each event arrived.
"""

import argparse
import hashlib
import io
import json
import os
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from botocore.client import BaseClient
from kombu.entity import Queue

from benchmarks.servers import on_real_servers
from infra.events.parsing import parse as parse_event
from infra.settings import read_settings
from schemas.search import SearchRequest, Viewer, parse
from tasks.services import Services
from tests.e2e.instance import Instance
from tests.stack.telling import client, make_telling, own_queue
from training.samples import draw

_BUCKET = "images"
_SEED = 2_600_000
_WARM_UP = 5
_LIMIT = 60.0  # seconds for one image


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: from the put's answer to the event in the queue, and from there until search finds the image."""

    told: float
    found: float


def measure(instance: Instance, services: Services, s3: BaseClient, queue: Queue, number: int) -> Times:
    """Put one image and wait until it is told of and found."""
    file = io.BytesIO()
    draw(_SEED + number).image.save(file, "JPEG", quality=88)
    content, key = file.getvalue(), f"{number:04}.jpg"
    request = SearchRequest(parse(f"sha:{hashlib.sha256(content).hexdigest()} status:complete"), Viewer())
    s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
    stored, told = time.perf_counter(), 0.0
    while time.perf_counter() - stored < _LIMIT:
        if not told and _arrived(queue, key):
            told = time.perf_counter()
        if told and services.index.hits(request).hits:
            return Times(told - stored, time.perf_counter() - told)
        time.sleep(0.005)
    raise TimeoutError(f"{key} was not {'found' if told else 'told of'} within {_LIMIT} s\n{instance.logs()}")


def _arrived(queue: Queue, key: str) -> bool:
    message = queue.get(no_ack=True)
    return message is not None and any(event.key == key for event in parse_event(message.body).events)


def run(images: int, *, spool: bool) -> list[Times]:
    """Everything in one run, after a few images that warm it up."""
    with (
        tempfile.TemporaryDirectory() as name,
        on_real_servers(Path(name) / "stack", spool=spool),
        client() as s3,
        own_queue() as queue,
    ):
        queue.declare()
        make_telling(s3, _BUCKET)
        instance = Instance(Path(name) / "data", "--no-samples").start()
        try:
            services = Services(read_settings(os.environ, data=Path(name)))
            times = [measure(instance, services, s3, queue, number) for number in range(_WARM_UP + images)]
            services.close()
        finally:
            instance.stop()
    return times[_WARM_UP:]


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--no-spool", action="store_true", help="MinIO publishes at once")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    times = run(options.images, spool=not options.no_spool)
    for name, seconds in (
        (f"stored to told ({'at once' if options.no_spool else 'through the spool'})", [each.told for each in times]),
        ("told to searchable, complete", [each.found for each in times]),
    ):
        ordered = sorted(seconds)
        p95 = ordered[int(len(ordered) * 0.95)]
        print(f"{name}: median {statistics.median(ordered):.3f} s, p95 {p95:.3f} s, longest {ordered[-1]:.3f} s")
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in times], indent=1))


if __name__ == "__main__":
    main()
