"""What we ask of any broker: hints arrive, and come again when nobody confirmed them."""

import time
from collections.abc import Iterator

import pytest
from celery import Celery
from kombu.simple import SimpleQueue

from schemas.pipeline import INGEST, MERGE


class BrokerContract:
    """Inherit it and give `sender` (an app as workers' senders have) and `receiver` (as workers have; 1 s time-out)."""

    @pytest.fixture
    def inbox(self, receiver: Celery) -> Iterator[SimpleQueue]:
        """The ingest queue, as a worker reads it."""
        with receiver.connection_for_read() as connection:
            queue = next(each for each in receiver.conf.task_queues if each.name == INGEST)
            with SimpleQueue(connection.default_channel, queue) as inbox:
                yield inbox

    def test_a_hint_arrives_with_its_task_and_without_arguments(self, sender: Celery, inbox: SimpleQueue) -> None:
        sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        message = inbox.get(timeout=10)
        assert message.headers["task"] == f"nafuda.{INGEST}"
        assert message.payload[:2] == [[], {}]
        message.ack()

    def test_a_hint_goes_to_its_own_queue_only(self, sender: Celery, inbox: SimpleQueue) -> None:
        sender.send_task(f"nafuda.{MERGE}", queue=MERGE, retry=False)
        sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        message = inbox.get(timeout=10)
        assert message.headers["task"] == f"nafuda.{INGEST}"
        message.ack()

    def test_a_confirmed_hint_does_not_come_again(self, sender: Celery, inbox: SimpleQueue) -> None:
        sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        inbox.get(timeout=10).ack()
        time.sleep(1.5)
        with pytest.raises(inbox.Empty):
            inbox.get(block=False)

    def test_a_hint_whose_worker_died_comes_again(self, sender: Celery, inbox: SimpleQueue) -> None:
        sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        taken = inbox.get(timeout=10)
        again = inbox.get(timeout=10)
        assert again.headers["id"] == taken.headers["id"]
        again.ack()
