"""Notifications over RabbitMQ (R71, R72)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from kombu.entity import Queue

from infra.arrivals.amqp import AmqpSource
from infra.settings import Settings
from schemas.errors import TransientError
from schemas.ports import EventSource
from tasks.follow import source_of
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


@contextmanager
def relay(server: int) -> Iterator[tuple[int, threading.Event]]:
    """A port behind which the server is reached, and what makes it swallow everything without a word."""
    silent, ends = threading.Event(), list[socket.socket]()

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while some := source.recv(65536):
                if not silent.is_set():
                    target.sendall(some)

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            with suppress(OSError):
                ours, theirs = listening.accept()[0], socket.create_connection(("127.0.0.1", server))
                ends.extend((ours, theirs))
                for pair in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=take, daemon=True).start()
        yield listening.getsockname()[1], silent
    for each in ends:
        each.close()


def test_a_broker_that_falls_silent_is_given_up_after_two_heartbeats_of_the_settings() -> None:
    """R72: with the heartbeats of the default that takes 40 s and more; a second passes between two looks."""
    url = urlsplit(given("NAFUDA_TEST_BROKER_URL"))
    assert url.port
    with own_queue() as queue, relay(url.port) as (port, silent):
        queue.queue_declare()
        through = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{port}"))
        patient = Settings(events_url=through.geturl(), events_queue=queue.name, broker_heartbeat=timedelta(seconds=1))
        arrivals = source_of(patient).arrivals()
        assert next(arrivals) is None
        silent.set()
        with pytest.raises(TransientError, match="heartbeat"):
            for _ in zip(range(25), arrivals, strict=False):
                pass


def test_a_password_is_not_shown() -> None:
    assert "secret" not in AmqpSource("amqp://nafuda:secret@127.0.0.1:1/x", "events", timeout=PATIENCE).place
