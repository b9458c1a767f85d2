"""A queue of RabbitMQ's, or of whoever else speaks AMQP 0.9.1: raw notifications, not Celery's messages."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from kombu.connection import Connection
from kombu.entity import Queue
from kombu.message import Message

from schemas.errors import TransientError
from schemas.events import QueueState

_TOGETHER = 50  # messages of one arrival, at most
_PREFETCH = 2 * _TOGETHER  # so that others come while some are written down
_MOMENT = 0.001  # seconds; without any, amqp would wait for the rest of a frame at full speed and for ever


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
        """What the broker has sent by now; it asks for nothing but acknowledgements."""
        queue, arrived = Queue(self.name, no_declare=True), list[Message]()
        with (
            self.errors(),
            self._connected() as live,
            live.Consumer(queue, on_message=arrived.append, prefetch_count=_PREFETCH, auto_declare=False),
        ):
            while True:
                yield AmqpArrival(self, tuple(arrived)) if arrived else None
                arrived.clear()
                try:
                    live.drain_events(timeout=1)
                    while len(arrived) < _TOGETHER:
                        live.drain_events(timeout=_MOMENT)
                except TimeoutError:
                    if not arrived:
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
    messages: Sequence[Message]

    @property
    def bodies(self) -> Sequence[str]:
        """Texts; what is not UTF-8 is still shown, to be kept as a dead letter."""
        return [_text(message.body) for message in self.messages]

    def hold(self) -> None:
        """Nothing: the broker waits as long as the connection lives, and gives them again afterwards."""

    def confirm(self) -> None:
        """Acknowledge each: whatever else was given out stays as it is."""
        with self.source.errors():
            for message in self.messages:
                message.ack()


def _text(body: str | bytes | memoryview) -> str:
    return body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
