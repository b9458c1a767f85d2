"""Notifications over RabbitMQ (R71, R72)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from kombu.entity import Queue

from infra.arrivals.amqp import AmqpSource
from schemas.ports import EventSource
from tests.arrivals.contract import EventSourceContract, Send, arriving
from tests.stack.given import given
from tests.stack.telling import own_queue

pytestmark = pytest.mark.stack


PATIENCE = timedelta(seconds=5)


class TestAmqp(EventSourceContract):
    """The contract, kept by a queue of RabbitMQ's that nothing else is bound to."""

    @pytest.fixture
    def queue(self) -> Iterator[Queue]:
        with own_queue() as queue:
            queue.queue_declare()
            yield queue

    @pytest.fixture
    def source(self, queue: Queue) -> EventSource:
        return AmqpSource(given("NAFUDA_TEST_BROKER_URL"), queue.name, timeout=PATIENCE)

    @pytest.fixture
    def nowhere(self) -> EventSource:
        return AmqpSource(given("NAFUDA_TEST_BROKER_URL"), "test-nowhere", timeout=PATIENCE)

    @pytest.fixture
    def send(self, queue: Queue) -> Send:
        def send(body: str) -> None:
            with queue.channel.connection.client.Producer() as producer:
                producer.publish(body.encode(), routing_key=queue.name, content_type="application/json")

        return send

    def test_a_look_tells_who_listens(self, source: EventSource) -> None:
        assert source.look().consumers == 0
        with arriving(source):
            assert source.look().consumers == 1


def test_a_password_is_not_shown() -> None:
    assert "secret" not in AmqpSource("amqp://nafuda:secret@127.0.0.1:1/x", "events", timeout=PATIENCE).place
