"""Notifications over RabbitMQ (R71, R72)."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

import pytest
from kombu.entity import Queue

from infra.arrivals.amqp import AmqpSource
from infra.settings import Settings
from schemas.errors import TransientError
from schemas.ports import EventSource
from tasks.follow import source_of
from tests.arrivals.contract import Arrivals, EventSourceContract, Send, arriving
from tests.e2e.instance import wait_for
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


class Relay:
    """A port behind which the server is reached, until it falls silent: it keeps what it is told without a word."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.port = self._listening.getsockname()[1]
        self.silent = threading.Event()
        self.kept = bytearray()  # what the server said

    def __enter__(self) -> Self:
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._ends):
            each.close()

    def say(self, some: bytes | bytearray) -> None:
        """Say this to the client."""
        self._ends[0].sendall(some)

    def _take(self) -> None:
        with suppress(OSError):
            ours, theirs = self._listening.accept()[0], socket.create_connection(("127.0.0.1", self._server))
            self._ends += (ours, theirs)
            for source, target, kept in ((ours, theirs, bytearray()), (theirs, ours, self.kept)):
                threading.Thread(target=self._pump, args=(source, target, kept), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with suppress(OSError):
            while some := source.recv(65536):
                if self.silent.is_set():
                    kept += some
                else:
                    target.sendall(some)


@contextmanager
def through_a_relay() -> Iterator[tuple[Relay, Queue, Arrivals]]:
    """Somebody who listens behind one to a queue, with a heartbeat a second."""
    url = urlsplit(given("NAFUDA_TEST_BROKER_URL"))
    assert url.port
    with own_queue() as queue, Relay(url.port) as relay:
        queue.queue_declare()
        through = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{relay.port}"))
        patient = Settings(events_url=through.geturl(), events_queue=queue.name, broker_heartbeat=timedelta(seconds=1))
        with arriving(source_of(patient)) as arrivals:
            yield relay, queue, arrivals


def test_a_broker_that_falls_silent_is_given_up_after_two_heartbeats_of_the_settings() -> None:
    """R72: with the heartbeats of the default that takes 40 s and more; a second passes between two looks."""
    with through_a_relay() as (relay, _, arrivals):
        relay.silent.set()
        with pytest.raises(TransientError, match="heartbeat"):
            for _ in zip(range(25), arrivals, strict=False):
                pass


def test_so_is_one_that_falls_silent_amid_a_message_and_what_came_before_is_taken() -> None:  # R72
    with through_a_relay() as (relay, queue, arrivals):
        relay.silent.set()
        with queue.channel.connection.client.Producer() as producer:
            for body in (b"whole", b"x" * 10_000):
                producer.publish(body, routing_key=queue.name)
        wait_for(lambda: len(relay.kept) > 10_000, 10)
        relay.say(relay.kept[:-5_000])
        came: list[Sequence[str]] = []
        listener = threading.Thread(target=_until_given_up, args=(arrivals, came), daemon=True)
        listener.start()
        listener.join(30)
        assert not listener.is_alive() and came == [["whole"]]


def _until_given_up(arrivals: Arrivals, came: list[Sequence[str]]) -> None:
    with suppress(TransientError):
        for arrival in arrivals:
            if arrival:
                came.append(arrival.bodies)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in AmqpSource("amqp://nafuda:secret@127.0.0.1:1/x", "events", timeout=PATIENCE).place
