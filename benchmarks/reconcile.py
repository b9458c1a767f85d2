"""Comparing a large bucket with the records, and the memory it takes: `python -m benchmarks.reconcile [--keys N]`.

An S3 server of the tests lists the keys, made on the fly; boto3 pages through them. The ledger, on the embedded
PostgreSQL, knows every one but each 10,000th. Memory is this process's resident set (the server is another process).
"""

import argparse
import os
import tempfile
import time
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg

from infra.embedded.postgres import EmbeddedPostgres
from infra.records.migrate import migrate
from infra.settings import Settings
from tasks.reconcile import Difference, reconcile
from tasks.services import Services
from tests.objects.endless import ETAG, PAGE, key_of, served

_UNKNOWN = 10_000  # each such key is new to the ledger


def serve(keys: int, said: Connection) -> None:
    """Serve until told to stop."""
    with served(keys) as bucket:
        said.send(bucket.url)
        said.recv()
        said.send(sum(bucket.asked.values()))


def fill(database: str, keys: int) -> None:
    """The ledger as it would be after the keys were ingested."""
    with psycopg.connect(database, autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY objects (collection, bucket, key, state, etag, checked) FROM STDIN") as copy:
            for number in range(keys):
                if number % _UNKNOWN:
                    copy.write_row((1, "images", key_of(number), "refused", ETAG, 1))
        connection.execute("VACUUM ANALYZE objects")


def resident(field: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at most since the mark was cleared."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[field].split()[0]) / 1024


def compare(services: Services, keys: int) -> tuple[Difference, float, float]:
    """What was found, seconds, and by how many MiB the process grew at most."""
    here, there = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=serve, args=(keys, there))
    server.start()
    settings = services.settings.model_copy(update={"objects_url": f"s3+{here.recv()}"})
    with closing(Services(settings)) as parts:
        parts.store.head("images", "warm")
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        before, started = resident("VmRSS"), time.perf_counter()
        found = reconcile(parts, "images")
        spent, grown = time.perf_counter() - started, resident("VmHWM") - before
    here.send("stop")
    assert here.recv() == -(-keys // PAGE)
    server.join()
    return found, spent, grown


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    keys = parser.parse_args().keys
    os.environ.update({"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"})
    with tempfile.TemporaryDirectory() as name:
        postgres = EmbeddedPostgres(Path(name) / "postgres", Path(name) / "postgres.log")
        postgres.start()
        try:
            migrate(postgres.conninfo)
            settings = Settings(data=Path(name), database_url=postgres.conninfo, broker_url="memory://")
            with closing(Services(settings)) as services:
                services.rules.ensure_collection("main", "images")
                fill(postgres.conninfo, keys)
                found, spent, grown = compare(services, keys)
        finally:
            postgres.stop()
    print(f"{keys:,} keys in {-(-keys // PAGE):,} pages: {spent:.1f} s, {keys / spent:,.0f} keys/s, {found}")
    print(f"this process grew by {grown:.1f} MiB at most")


if __name__ == "__main__":
    main()
