"""A listener beside a test, and what it wrote down."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.follow import listen
from tasks.services import Services
from tests.records.books import Books


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
