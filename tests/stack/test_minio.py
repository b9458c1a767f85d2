"""MinIO: what is stored is told to the bound queue, in words that our parsers understand."""

import json
from collections.abc import Iterator

import pytest
from botocore.client import BaseClient
from kombu.connection import Connection
from kombu.simple import SimpleQueue

from infra.events.parsing import parse
from infra.events.sequencers import compare
from schemas.events import EventKind, ObjectEvent
from tests.stack.given import given
from tests.stack.rabbitmq import EVENTS, UNROUTED

pytestmark = pytest.mark.stack

KEY = "写真/a b+c%41.png"


@pytest.fixture
def notified() -> Iterator[SimpleQueue]:
    """The queue that the store's exchange is bound to, emptied."""
    with Connection(given("NAFUDA_TEST_BROKER_URL")) as connection:
        channel = connection.default_channel
        name = given("NAFUDA_TEST_EVENTS_QUEUE")
        channel.queue_purge(name)
        with SimpleQueue(connection, name, queue_opts={"no_declare": True}) as queue:
            yield queue


@pytest.fixture
def bucket(s3: BaseClient, bucket: str) -> str:
    """With versions, all of which are told."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def told(notified: SimpleQueue, bucket: str) -> ObjectEvent:
    """The next event of a bucket, read as a listener would. Those of earlier tests' buckets may still come."""
    while True:
        message = notified.get(timeout=30)
        (event,) = parse(message.body).events
        message.ack()
        if event.bucket == bucket:
            return event


def test_an_object_that_is_stored_is_told_with_key_version_and_size(
    s3: BaseClient, bucket: str, notified: SimpleQueue
) -> None:
    stored = s3.put_object(Bucket=bucket, Key=KEY, Body=b"not empty")
    event = told(notified, bucket)
    assert (event.kind, event.bucket, event.key) == (EventKind.CREATED, bucket, KEY)
    assert (event.version, event.size) == (stored["VersionId"], 9)
    assert event.etag == json.loads(stored["ETag"])


def test_a_later_version_has_a_later_sequencer(s3: BaseClient, bucket: str, notified: SimpleQueue) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"first")
    first = told(notified, bucket)
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"second")
    second = told(notified, bucket)
    assert compare(first, second) == -1


def test_a_delete_marker_is_told_as_a_removal(s3: BaseClient, bucket: str, notified: SimpleQueue) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"not empty")
    told(notified, bucket)
    s3.delete_object(Bucket=bucket, Key=KEY)
    assert told(notified, bucket).kind is EventKind.REMOVED


def test_what_is_published_while_no_queue_is_bound_goes_to_the_other_queue() -> None:
    with Connection(given("NAFUDA_TEST_BROKER_URL")) as connection:
        connection.default_channel.queue_purge(UNROUTED)
        producer = connection.Producer()
        producer.publish({"Records": []}, exchange=EVENTS, routing_key="bound to nothing")
        with SimpleQueue(connection, UNROUTED, queue_opts={"no_declare": True}) as queue:
            queue.get(timeout=10).ack()
