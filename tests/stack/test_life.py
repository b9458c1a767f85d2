"""The stack's life: up, up again, killed, up, down; on servers of the tests' own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import boto3
import httpx2
import psycopg
import pytest
from kombu import pools
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from kombu.simple import SimpleQueue

from infra.events.parsing import parse
from infra.settings import Settings
from schemas.pipeline import INGEST
from tests.broker.apps import inbox_of, receiver_of, sender_of
from tests.stack.own import OwnStack, own_stack
from tests.stack.places import LOOPBACK
from tests.stack.rabbitmq import EVENTS

pytestmark = pytest.mark.stack

REMEMBERED = timedelta(seconds=8)  # RabbitMQ 3.10 saves which quorum queues it has every five seconds only
ALL = ("rabbitmq", "minio", "postgres", "opensearch")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[OwnStack]:
    """A stack of which nothing runs yet."""
    with own_stack(tmp_path / "stack") as stack:
        yield stack


def test_up_again_starts_nothing_and_says_the_same_and_down_leaves_no_process(stack: OwnStack) -> None:
    said = stack.up()
    started = [stack.server(name).pid for name in ALL]
    assert None not in started
    assert stack.up() == said
    assert [stack.server(name).pid for name in ALL] == started
    assert len(stack.processes()) > len(ALL)  # RabbitMQ has its port mapper
    assert stack.say("down").returncode == 0
    assert stack.processes() == []


def test_what_rabbitmq_confirmed_is_there_after_it_was_killed_while_hints_were_sent(
    stack: OwnStack, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, broker_url=stack.up("rabbitmq")["NAFUDA_BROKER_URL"])
    confirmed: set[str] = set()
    arrived: set[str] = set()
    sender = sender_of(settings)
    killer = threading.Timer(REMEMBERED.total_seconds(), stack.kill, ["rabbitmq"])
    killer.start()
    with pytest.raises(OperationalError):  # whose hint may or may not be there
        while True:
            confirmed.add(sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False).id)
    pools.reset()
    stack.up("rabbitmq")
    with inbox_of(receiver_of(settings)) as inbox:
        while confirmed - arrived:
            message = inbox.get(timeout=10)
            arrived.add(message.headers["id"])
            message.ack()
    assert len(confirmed) > 10


def test_minio_keeps_objects_and_what_it_has_to_tell_when_it_is_killed_while_rabbitmq_is_away(stack: OwnStack) -> None:
    given = stack.up("minio")
    keys = {"aws_access_key_id": given["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": given["AWS_SECRET_ACCESS_KEY"]}
    s3 = boto3.client("s3", endpoint_url=given["NAFUDA_TEST_S3_URL"], region_name="us-east-1", **keys)
    s3.create_bucket(Bucket="images")
    told = {"QueueArn": given["NAFUDA_TEST_EVENTS_ARN"], "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="images", NotificationConfiguration={"QueueConfigurations": [told]}, SkipDestinationValidation=True
    )
    s3.put_object(Bucket="images", Key="a.png", Body=b"kept")
    stack.kill("minio")
    broker = stack.up("rabbitmq", "minio")["NAFUDA_BROKER_URL"]
    assert s3.get_object(Bucket="images", Key="a.png")["Body"].read() == b"kept"
    with Connection(broker) as connection, SimpleQueue(connection, EVENTS, queue_opts={"no_declare": True}) as queue:
        message = queue.get(timeout=30)
        assert [event.key for event in parse(message.body).events] == ["a.png"]
        message.ack()


def _count(url: str) -> None:
    """A query that is at work for seconds, and does not look up when its server dies."""
    with pytest.raises(psycopg.OperationalError), psycopg.connect(url) as connection:
        connection.execute("SELECT count(*) FROM generate_series(1, 20000000)")


def test_postgres_keeps_what_was_committed_when_it_is_killed(stack: OwnStack) -> None:
    url = stack.up("postgres")["NAFUDA_DATABASE_URL"]
    with suppress(psycopg.OperationalError), psycopg.connect(url) as connection:  # it ends with the server
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        connection.commit()
        busy = threading.Thread(target=_count, args=[url])
        busy.start()
        while not connection.execute("SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT count(%'").rowcount:
            connection.commit()
        stack.kill("postgres")
    stack.up("postgres")
    busy.join()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]


def test_opensearch_keeps_what_was_written_when_it_is_killed(stack: OwnStack) -> None:
    document = stack.up("opensearch")["NAFUDA_TEST_OPENSEARCH_URL"] + "/kept/_doc/a"
    httpx2.put(document, json={"tag": "cat"}, timeout=30).raise_for_status()
    stack.kill("opensearch")
    stack.up("opensearch")
    assert httpx2.get(document, timeout=30).json()["_source"] == {"tag": "cat"}


def test_a_port_that_is_taken_is_named_with_the_remedy(stack: OwnStack) -> None:
    with socket.create_server((LOOPBACK, stack.server("postgres").port)):
        refused = stack.say("up", "postgres")
    assert refused.returncode == 1
    assert "which is taken" in refused.stderr and "NAFUDA_STACK_PORT" in refused.stderr
