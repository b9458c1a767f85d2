"""A queue of RabbitMQ's, or of whoever else speaks AMQP 0.9.1: raw notifications, not Celery's messages."""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from kombu.connection import Connection
from kombu.entity import Queue
from kombu.message import Message

from schemas.errors import TransientError
from schemas.events import QueueState

_PREFETCH = 100


class AmqpSource:
    """`schemas.ports.EventSource`. The queue must exist: whoever made it bound it to what the store publishes to."""

    def __init__(
        self, url: str, queue: str, *, timeout: timedelta, heartbeat: timedelta = timedelta(seconds=20)
    ) -> None:
        """timeout: for connecting; a broker that falls silent later is given up after two heartbeats, whole seconds."""
        self.name = queue
        beat = int(heartbeat.total_seconds())
        self._connection = Connection(url, heartbeat=beat, connect_timeout=timeout.total_seconds())
        self.place = f"queue {queue} of {self._connection.as_uri()}"
        self._patience = timeout.total_seconds()

    def arrivals(self) -> Generator["AmqpArrival | None", None, None]:
        """What the broker sends, each with its own acknowledgement."""
        queue, arrived = Queue(self.name, no_declare=True), deque[Message]()
        with (
            self.errors(),
            self._connected() as live,
            live.Consumer(queue, on_message=arrived.append, prefetch_count=_PREFETCH, auto_declare=False),
        ):
            while True:
                yield None
                while arrived:
                    yield AmqpArrival(self, arrived.popleft())
                try:
                    live.drain_events(timeout=1)
                except TimeoutError:
                    live.heartbeat_check()

    def look(self) -> QueueState:
        """What waits, and who listens; what was given out is not told."""
        limits = {"read_timeout": self._patience, "write_timeout": self._patience}
        with self.errors(), self._connection.clone(transport_options=limits) as live:
            live.connect()
            found = live.default_channel.queue_declare(self.name, passive=True)
            return QueueState(found.message_count, consumers=found.consumer_count)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection of its own. After an error nobody waits for a farewell, which a silent broker never answers."""
        with self._connection.clone() as live:
            try:
                live.connect()
                yield live
            except self._connection.connection_errors:
                live.collect()
                raise

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns the client's errors into ours."""
        try:
            yield
        except (OSError, *self._connection.connection_errors, *self._connection.channel_errors) as error:
            raise TransientError(f"{self.place}: {error}", code="events-away") from error


@dataclass(frozen=True, slots=True)
class AmqpArrival:
    """`schemas.ports.Arrival`."""

    source: AmqpSource
    message: Message

    @property
    def body(self) -> str:
        """Text; what is not UTF-8 is still shown, to be kept as a dead letter."""
        body = self.message.body
        return body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")

    def hold(self) -> None:
        """Nothing: the broker waits as long as the connection lives, and gives it again afterwards."""

    def confirm(self) -> None:
        """Acknowledge."""
        with self.source.errors():
            self.message.ack()
