"""What the doctor says of events: where they arrive, who listens, what waits, what was not understood (R71, R77)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from kombu.connection import Connection
from kombu.entity import Queue

from tasks.doctor import Finding, examine
from tasks.notifications import take_notifications
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.rounds.following import books_of, listening, parts
from tests.stack.given import given
from tests.stack.queues import OwnSqs, own_sqs
from tests.stack.telling import own_queue

AWAY = "http://127.0.0.1:9"  # nobody listens there


def events(services: Services) -> Finding:
    return next(each for each in examine(services) if each.name == "events")


def test_dead_letters_are_counted_with_what_to_do_wherever_events_come_from(services: Services) -> None:
    assert events(services) == Finding("events", True, "folders are watched")
    take_notifications(services, ["{}"], "webhook")
    found = events(services)
    assert found.ok and "dead letters: 1" in found.detail and "events dead" in found.remedy


def test_without_a_queue_it_says_how_events_come_and_when_buckets_are_compared(tmp_path: Path, database: str) -> None:
    for secret, way in (("", "nowhere"), ("known to the storage server", "by the webhook only")):
        with parts(tmp_path, database, objects_url=f"s3+{AWAY}", events_secret=secret) as services:
            found = events(services)
            assert found.ok and found.detail == f"they arrive {way}; buckets are compared every 0:15:00"


@pytest.fixture
def queue() -> Iterator[Queue]:
    with own_queue() as queue:
        yield queue


@pytest.mark.stack
def test_a_queue_over_amqp_that_is_missing_or_not_listened_to_is_wrong(
    tmp_path: Path, database: str, queue: Queue, bucket: str
) -> None:
    server, broker = f"s3+{given('NAFUDA_TEST_S3_URL')}", given("NAFUDA_TEST_BROKER_URL")
    with parts(tmp_path, database, objects_url=server, events_url=broker, events_queue=queue.name) as services:
        books_of(services, bucket)
        missing = events(services)
        assert not missing.ok and queue.name in missing.detail and "NAFUDA_EVENTS_QUEUE" in missing.remedy
        queue.declare()
        idle = events(services)
        assert not idle.ok and "nobody listens" in idle.detail and "worker listen" in idle.remedy
        with listening(services):
            wait_for(lambda: events(services).ok, 30)
            assert "0 wait, 1 listen" in events(services).detail
            password = given("NAFUDA_TEST_BROKER_URL").partition("@")[0].rpartition(":")[2]
            assert password not in events(services).detail


@pytest.fixture
def sqs() -> Iterator[OwnSqs]:
    with own_sqs(given("NAFUDA_TEST_SQS_URL"), made=False) as queue:
        yield queue


@pytest.mark.stack
def test_a_queue_over_sqs_that_is_missing_is_wrong_and_what_it_gave_up_is_told(
    tmp_path: Path, database: str, sqs: OwnSqs
) -> None:
    place = {"objects_url": f"s3+{AWAY}", "events_url": f"sqs+{sqs.endpoint}", "events_queue": sqs.name}
    with parts(tmp_path, database, **place) as services, own_sqs(sqs.endpoint) as aside:
        missing = events(services)
        assert not missing.ok and sqs.name in missing.detail and "NAFUDA_EVENTS_QUEUE" in missing.remedy
        sqs.make()
        sqs.give_up_to(aside, after=3)
        sqs.send("{}")
        aside.send("{}")
        found = events(services)
        assert found.ok and "1 wait, 0 at work, 1 given up" in found.detail and "move the messages back" in found.remedy


@pytest.mark.stack
def test_a_broker_that_answers_and_takes_no_hints_is_not_well(tmp_path: Path, database: str) -> None:
    """R72, R77: here somebody else made a queue by that name, as its exchange tells; a full disk looks no better."""
    url = given("NAFUDA_TEST_BROKER_URL")

    def broker(services: Services) -> Finding:
        return next(each for each in examine(services) if each.name == "broker")

    own = {
        "broker_url": url,
        "broker_timeout": timedelta(seconds=7),
    }  # or others share its connections, and what they know
    with Connection(url) as operator, parts(tmp_path, database, "ingest", **own) as services:
        operator.default_channel.queue_delete("ingest")
        operator.default_channel.queue_declare("ingest", durable=True, auto_delete=False)
        assert broker(services).ok  # nobody plays the role, so nobody is asked to take a hint
        services.work.beat()
        found = broker(services)
        assert not found.ok and "ingest" in found.detail and "NAFUDA_BROKER_URL" in found.detail
        operator.default_channel.queue_delete("ingest")
        assert broker(services).ok
        operator.default_channel.queue_delete("ingest")
