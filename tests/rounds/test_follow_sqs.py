"""Events over SQS's protocol: S3's own on moto, what goes wrong on ElasticMQ (R1, R71, R72)."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import boto3
import psycopg
import pytest
from botocore.client import BaseClient

from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.records.books import Books
from tests.rounds.following import books_of, keys, listening, parts, told
from tests.stack.given import given
from tests.stack.queues import OwnSqs, aws_s3, bucket_of, own_sqs, tell

pytestmark = pytest.mark.stack

KEY = "写真/a b+c%41.png"
ODD = ("a//b.png", "/c.png", "d/")  # MinIO takes none of the first kind


@pytest.fixture(params=["NAFUDA_TEST_AWS_URL"])
def queue(request: pytest.FixtureRequest) -> Iterator[OwnSqs]:
    """A queue of this test's own, on moto, or on the server that a test asks for."""
    with own_sqs(given(request.param)) as queue:
        yield queue


@pytest.fixture
def s3() -> Iterator[BaseClient]:
    """AWS's S3, as moto plays it."""
    with aws_s3() as s3:
        yield s3


@pytest.fixture
def bucket(s3: BaseClient, queue: OwnSqs) -> str:
    """A bucket that nothing is told of yet."""
    return bucket_of(s3, queue)


@pytest.fixture
def services(tmp_path: Path, database: str, queue: OwnSqs) -> Iterator[Services]:
    places = {"objects_url": f"s3+{given('NAFUDA_TEST_AWS_URL')}", "events_url": f"sqs+{queue.endpoint}"}
    with parts(tmp_path, database, **places, objects_timeout=timedelta(seconds=2), events_queue=queue.name) as services:
        yield services


@pytest.fixture
def books(services: Services, bucket: str) -> Books:
    return books_of(services, bucket)


def test_what_s3_tells_the_queue_is_hinted_at_with_what_was_there_before(
    services: Services, books: Books, s3: BaseClient, bucket: str, queue: OwnSqs
) -> None:
    s3.put_object(Bucket=bucket, Key="before.png", Body=b"x")
    queue.allow()
    tell(s3, bucket, QueueConfigurations=queue.arn)
    with listening(services):
        wait_for(lambda: "before.png" in keys(books), 30)
        for key in (KEY, *ODD):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        wait_for(lambda: {KEY, *ODD} <= set(keys(books)), 30)
        assert all(services.store.head(bucket, key) for key in ODD)
        s3.delete_object(Bucket=bucket, Key=KEY)
        wait_for(lambda: books.rows(KEY)[0].checks >= 2 and queue.left == 0, 30)
    assert services.letters.latest() == []  # s3:TestEvent came too


def test_what_s3_tells_a_topic_that_the_queue_subscribed_to_is_hinted_at(
    services: Services, books: Books, s3: BaseClient, bucket: str, queue: OwnSqs
) -> None:
    with closing(boto3.client("sns", endpoint_url=queue.endpoint)) as sns, listening(services):
        topic = sns.create_topic(Name=queue.name)["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
        tell(s3, bucket, TopicConfigurations=topic)
        s3.put_object(Bucket=bucket, Key=KEY, Body=b"x")
        wait_for(lambda: KEY in keys(books), 30)


elasticmq = pytest.mark.parametrize("queue", ["NAFUDA_TEST_SQS_URL"], indirect=True)


@elasticmq
def test_what_is_not_understood_is_a_dead_letter_and_what_follows_is_taken(
    services: Services, books: Books, bucket: str, queue: OwnSqs
) -> None:
    for body in ("no event", "[]", json.dumps(told(bucket))):
        queue.send(body)
    with listening(services):
        wait_for(lambda: "a.png" in keys(books) and queue.left == 0, 30)
    assert [letter.source for letter in services.letters.latest()] == [queue.name, queue.name]


@elasticmq
def test_an_outage_is_said_once_and_what_was_stored_in_it_is_found(
    services: Services,
    books: Books,
    s3: BaseClient,
    bucket: str,
    queue: OwnSqs,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infra.arrivals.sqs._WAIT", 1)  # a deleted queue lets a poll wait to its end
    caplog.set_level(logging.INFO)

    def said(what: str) -> int:
        return sum(message.startswith(what) for message in caplog.messages)

    with listening(services):
        wait_for(lambda: said("events come from") == 1, 30)
        queue.delete()
        wait_for(lambda: said("the source of events is away") == 1, 30)
        s3.put_object(Bucket=bucket, Key="a.png", Body=b"x")
        time.sleep(2)  # several attempts
        queue.make()
        wait_for(lambda: "a.png" in keys(books), 30)
    assert (said("events come from"), said("the source of events is away")) == (2, 1)


@elasticmq
def test_a_database_that_does_not_answer_keeps_the_event_in_the_queue(
    services: Services,
    books: Books,
    bucket: str,
    queue: OwnSqs,
    database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with listening(services):
        with psycopg.connect(database) as busy:
            busy.execute("LOCK TABLE objects")
            queue.send(json.dumps(told(bucket)))
            wait_for(lambda: any("events wait" in message for message in caplog.messages), 30)
            assert queue.left == 1
        wait_for(lambda: "a.png" in keys(books) and queue.left == 0, 30)
