"""A listener beside a test, its parts, and what it wrote down."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from infra.records.pool import open_pool
from infra.settings import Settings
from tasks.follow import listen
from tasks.services import Services
from tests.records.books import Books


@contextmanager
def parts(folder: Path, database: str, *roles: str, **given: object) -> Iterator[Services]:
    """A process with a broker in memory and these settings; its pool waits for no lock longer than a moment."""
    settings = {"data": folder, "database_url": database, "broker_url": "memory://", **given}
    services = Services(Settings.model_validate(settings), roles or ("listen",))
    services.__dict__["pool"] = open_pool(database, size=6, name="test", statement_timeout=timedelta(seconds=1))
    yield services
    services.close()


def books_of(services: Services, bucket: str) -> Books:
    """The ledger of a collection of that bucket."""
    books = Books(services.pool)
    books.collection(bucket=bucket)
    return books


@contextmanager
def listening(services: Services) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=listen, args=(services, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def keys(books: Books) -> set[str]:
    return {key for (key,) in books.sql("SELECT key FROM objects")}


def told(bucket: str) -> dict[str, object]:
    """What MinIO says of an object."""
    s3 = {"bucket": {"name": bucket}, "object": {"key": "a.png", "size": 1, "eTag": "e", "sequencer": "17F"}}
    record = {"eventVersion": "2.0", "eventSource": "minio:s3", "eventName": "s3:ObjectCreated:Put", "s3": s3}
    return {"EventName": record["eventName"], "Key": f"{bucket}/a.png", "Records": [record]}
