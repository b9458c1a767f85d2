"""Events of a real S3 server through a real broker: what is stored becomes a hint, whoever was away (R1, R71, R72)."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from botocore.client import BaseClient
from kombu.connection import Connection
from kombu.entity import Queue

from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.records.books import Books
from tests.rounds.following import books_of, keys, listening, parts, told
from tests.stack.given import given
from tests.stack.telling import own_queue

pytestmark = pytest.mark.stack


@pytest.fixture
def queue() -> Iterator[Queue]:
    """A queue of this test's own, not declared yet."""
    with own_queue() as queue:
        yield queue


@pytest.fixture
def services(tmp_path: Path, database: str, bucket: str, queue: Queue) -> Iterator[Services]:
    server, broker = f"s3+{given('NAFUDA_TEST_S3_URL')}", given("NAFUDA_TEST_BROKER_URL")
    with parts(tmp_path, database, objects_url=server, events_url=broker, events_queue=queue.name) as services:
        yield services


@pytest.fixture
def books(services: Services, bucket: str) -> Books:
    return books_of(services, bucket)


def left_in(queue: Queue) -> list[str]:
    """What was not acknowledged. Buckets of earlier tests tell every queue, seconds late: theirs is in it too."""
    left = []
    while (message := queue.get(no_ack=True)) is not None:
        left.append(message.body if isinstance(message.body, str) else bytes(message.body).decode("utf-8", "replace"))
    return left


def test_what_is_stored_and_what_was_stored_before_is_hinted_at(
    services: Services, books: Books, s3: BaseClient, bucket: str, queue: Queue
) -> None:
    s3.put_object(Bucket=bucket, Key="before.png", Body=b"x")  # its event went to no queue of ours
    queue.declare()
    with listening(services):
        wait_for(lambda: "before.png" in keys(books), 30)
        s3.put_object(Bucket=bucket, Key="写真/a b+c%41.png", Body=b"x")
        wait_for(lambda: "写真/a b+c%41.png" in keys(books), 30)
    assert not [body for body in left_in(queue) if bucket in body and "before.png" not in body]


def test_a_queue_that_is_not_there_yet_is_said_once_and_waited_for(
    services: Services,
    books: Books,
    s3: BaseClient,
    bucket: str,
    queue: Queue,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)  # Celery's workers of other tests leave another one
    with listening(services):
        wait_for(lambda: any(queue.name in message for message in caplog.messages), 30)
        time.sleep(3)  # several attempts
        assert sum("no events come" in message for message in caplog.messages) == 1
        assert services.events_outage.away
        queue.declare()
        s3.put_object(Bucket=bucket, Key="a.png", Body=b"x")
        wait_for(lambda: "a.png" in keys(books), 30)
        wait_for(lambda: not services.events_outage.away, 30)
    assert caplog.messages.count("the source of events is back") == 1


def test_each_outage_is_said_and_what_was_stored_in_it_is_found(
    services: Services,
    books: Books,
    s3: BaseClient,
    bucket: str,
    queue: Queue,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    def said(what: str) -> int:
        return sum(message.startswith(what) for message in caplog.messages)

    queue.declare()
    with listening(services):
        for number in (1, 2):
            wait_for(lambda n=number: said("events come from") == n, 30)  # type: ignore[misc]
            wait_for(lambda: not services.events_outage.away, 30)  # it lasted
            queue.delete()  # the broker ends the consumer
            wait_for(lambda n=number: said("the source of events is away") == n, 30)  # type: ignore[misc]
            s3.put_object(Bucket=bucket, Key=f"{number}.png", Body=b"x")
            queue.declare()
        wait_for(lambda: {"1.png", "2.png"} <= keys(books), 30)


def test_what_is_not_understood_is_a_dead_letter_and_what_follows_is_taken(
    services: Services, books: Books, bucket: str, queue: Queue
) -> None:
    queue.declare()
    bodies = (b"\xff no event", b"[]", json.dumps(told(bucket)).encode())
    with Connection(given("NAFUDA_TEST_BROKER_URL")) as connection:
        producer = connection.Producer()
        for body in bodies:
            producer.publish(body, routing_key=queue.name, content_type="application/json", content_encoding="binary")
    with listening(services):
        wait_for(lambda: "a.png" in keys(books), 30)
    assert [letter.source for letter in services.letters.latest()] == [queue.name, queue.name]
    assert not {body.decode("utf-8", "replace") for body in bodies} & set(left_in(queue))


def test_a_database_that_does_not_answer_keeps_the_event_in_the_queue(
    services: Services,
    books: Books,
    s3: BaseClient,
    bucket: str,
    queue: Queue,
    database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    queue.declare()
    with listening(services):
        wait_for(lambda: any("events come from" in message for message in caplog.messages), 30)
        with psycopg.connect(database) as busy:
            busy.execute("LOCK TABLE objects")
            s3.put_object(Bucket=bucket, Key="a.png", Body=b"x")
            wait_for(lambda: any("events wait" in message for message in caplog.messages), 30)
        wait_for(lambda: "a.png" in keys(books), 30)


def test_without_events_the_buckets_are_compared_at_start(
    services: Services, books: Books, s3: BaseClient, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="a.png", Body=b"x")
    services.settings = services.settings.model_copy(update={"events_url": ""})
    with listening(services):
        wait_for(lambda: "a.png" in keys(books), 30)
