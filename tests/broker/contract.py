"""What we ask of any broker: hints arrive, and come again when nobody confirmed them."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from celery import Celery
from kombu import pools
from kombu.simple import SimpleQueue

from infra.settings import Settings
from schemas.pipeline import INGEST, MERGE
from tests.broker.apps import inbox_of, receiver_of, sender_of, take_and_die


def patiently(inbox: SimpleQueue) -> Any:
    """The next hint. Some clients look for what is to come again only between one wait and the next."""
    for _ in range(10):
        with suppress(inbox.Empty):
            return inbox.get(timeout=1)
    return inbox.get(timeout=1)


class BrokerContract:
    """Inherit it and give `settings` of a process that reaches the broker, whose queues are empty."""

    @pytest.fixture
    def sender(self, settings: Settings) -> Iterator[Celery]:
        """An app that only sends. Apps share connections, which remember what was declared: they end with the test."""
        yield sender_of(settings)
        pools.reset()

    @pytest.fixture
    def inbox(self, settings: Settings) -> Iterator[SimpleQueue]:
        """The ingest queue, as a worker reads it."""
        with inbox_of(receiver_of(settings)) as inbox:
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

    def test_a_hint_whose_worker_was_killed_comes_again(self, sender: Celery, settings: Settings) -> None:
        sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        taken = take_and_die(settings)
        with inbox_of(receiver_of(settings)) as inbox:
            again = patiently(inbox)
            assert again.headers["id"] == taken
            again.ack()
