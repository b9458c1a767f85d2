"""RabbitMQ as the broker: quorum queues and confirmed sends (R72)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from amqp.exceptions import NotFound, PreconditionFailed
from celery import Celery
from kombu.connection import Connection
from kombu.simple import SimpleQueue

from infra.broker.transports import DELIVERY_LIMIT
from infra.settings import Settings
from schemas.pipeline import INGEST, QUEUES
from tests.broker.apps import working
from tests.broker.contract import BrokerContract
from tests.stack.given import given

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a process on the test's broker, whose queues of ours are deleted before and after."""
    url = given("NAFUDA_TEST_BROKER_URL")
    delete_queues(url)
    yield Settings(data=tmp_path, broker_url=url)
    delete_queues(url)


def delete_queues(url: str) -> None:
    """All of ours on a broker, and one that is not."""
    with Connection(url) as connection:
        for name in (*QUEUES, "celery_delayed_0"):
            connection.default_channel.queue_delete(name)


class TestRabbitMQ(BrokerContract):
    """The contract, kept by RabbitMQ; and what only a broker with quorum queues has."""

    def test_a_hint_that_no_worker_survives_is_dropped_in_the_end(self, sender: Celery, inbox: SimpleQueue) -> None:
        sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        for _ in range(DELIVERY_LIMIT + 1):
            inbox.get(timeout=10).requeue()
        with pytest.raises(inbox.Empty):
            inbox.get(timeout=1)

    def test_a_worker_does_what_a_hint_says_and_declares_no_queue_but_ours(
        self, settings: Settings, sender: Celery
    ) -> None:
        with working(settings) as one_more:
            sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
            one_more()
        with sender.connection_for_write() as connection, pytest.raises(NotFound):
            connection.default_channel.queue_declare("celery_delayed_0", passive=True)

    def test_a_queue_is_replicated_wherever_the_broker_has_several_nodes(self, sender: Celery) -> None:
        sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        with sender.connection_for_write() as connection, pytest.raises(PreconditionFailed, match="'quorum'"):
            connection.default_channel.queue_declare(INGEST, durable=True, auto_delete=False)
