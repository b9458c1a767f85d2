"""One notification of a hundred is lost on its way: the comparison finds every image, and nothing else (R1, R71)."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from botocore.client import BaseClient
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.message import Message
from kombu.messaging import Producer

from tests.e2e.instance import Instance, wait_for
from tests.ingest.plant import picture
from tests.stack.given import given
from tests.stack.telling import client, own_queue, telling_bucket

pytestmark = pytest.mark.stack

COUNT, LOST = 100, 1


@contextmanager
def losing(told: Queue, heard: Queue, keys: set[str]) -> Iterator[list[str]]:
    """Hands on what arrives in one queue to another, but for what is said of these keys; gives what was lost."""
    lost: list[str] = []
    over = Event()

    def hand_on(message: Message) -> None:
        body = bytes(message.body).decode()
        if found := [key for key in keys if key in body]:
            lost.extend(found)
        else:
            Producer(message.channel).publish(body.encode(), routing_key=heard.name, content_type="application/json")
        message.ack()

    def carry() -> None:
        with (
            Connection(given("NAFUDA_TEST_BROKER_URL")) as connection,
            connection.Consumer(Queue(told.name, no_declare=True), on_message=hand_on, auto_declare=False),
        ):
            while not over.is_set():
                try:
                    connection.drain_events(timeout=0.2)
                except TimeoutError:
                    continue

    thread = Thread(target=carry)
    thread.start()
    yield lost
    over.set()
    thread.join(20)


def put(s3: BaseClient, bucket: str, number: int) -> None:
    s3.put_object(Bucket=bucket, Key=f"{number:03}.png", Body=picture((number, 90, 200), (64, 64)))


def complete(nafuda: Instance) -> int:
    return int(nafuda.sql("SELECT count(*) FROM records WHERE status = 'complete'")[0][0])


def test_every_image_is_complete_although_one_event_of_a_hundred_is_lost(tmp_path: Path) -> None:
    keys = {f"{number:03}.png" for number in random.sample(range(1, COUNT + 1), LOST)}
    with client() as s3, telling_bucket(s3) as bucket, own_queue() as told, own_queue() as heard:
        told.declare()
        heard.queue_declare()  # bound to nothing: it hears what is handed on
        environment = {
            "NAFUDA_OBJECTS_URL": f"s3+{given('NAFUDA_TEST_S3_URL')}",
            "NAFUDA_EVENTS_URL": given("NAFUDA_TEST_BROKER_URL"),
            "NAFUDA_EVENTS_QUEUE": heard.name,
            "NAFUDA_BUCKET": bucket,
            "NAFUDA_MODELS": "nafuda/sample-tagger",  # this is about events, not about models
            "NAFUDA_DATABASE_URL": "",
            "NAFUDA_BROKER_URL": "",
        }
        nafuda = Instance(tmp_path / "data", "--no-samples", environment=environment).start()
        try:
            with losing(told, heard, keys) as lost:
                put(s3, bucket, 0)
                wait_for(lambda: complete(nafuda) == 1, 60, nafuda.logs)  # so the comparison at the start is over
                for number in range(1, COUNT + 1):
                    put(s3, bucket, number)
                wait_for(lambda: complete(nafuda) == COUNT + 1 - LOST, 120, nafuda.logs)
                wait_for(lambda: set(lost) == keys, 30)
            assert nafuda.json("reconcile") == {"unknown": LOST, "changed": 0, "gone": 0}
            wait_for(lambda: complete(nafuda) == COUNT + 1, 60, nafuda.logs)
            assert nafuda.json("reconcile") == {"unknown": 0, "changed": 0, "gone": 0}
        finally:
            nafuda.stop()
