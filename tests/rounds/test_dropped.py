"""A source of events that lets us in and drops us again: comparisons do not heap up, and its pauses grow (R71, R72)."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from infra.objects.folder import FolderStore
from schemas.errors import TransientError
from schemas.events import QueueState
from schemas.images import ObjectHead
from schemas.ports import Arrival
from tasks import follow
from tasks.comparing import Comparing
from tasks.follow import consume
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.records.books import Books

DROPPED = TransientError("the connection was cut", code="events-away")


class Slow(FolderStore):
    """A store whose listings wait until they may end, and count how many run and began."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.settings.buckets_folder)
        self.may_end, self.lock = threading.Event(), threading.Lock()
        self.running = self.most = 0
        self.begun: list[float] = []
        services.__dict__["store"] = self

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        with self.lock:
            self.begun.append(time.monotonic())
            self.running += 1
            self.most = max(self.most, self.running)
        self.may_end.wait(60)
        with self.lock:
            self.running -= 1
        return super().list(bucket, prefix)


@dataclass
class Told:
    """`schemas.ports.Arrival`: something that is no event."""

    bodies: list[str] = field(default_factory=lambda: ["{}"])
    confirmed: bool = False

    def hold(self) -> None:
        """Nothing renews it."""

    def confirm(self) -> None:
        """It is settled when the next one is asked for."""
        self.confirmed = True


class Source:
    """`schemas.ports.EventSource` of which each connection brings what it is told to."""

    name, place = "events", "a queue"

    def __init__(self, brings: Callable[[], Iterator[Arrival | None]]) -> None:
        self.brings = brings
        self.connected: list[float] = []

    def arrivals(self) -> Generator[Arrival | None, None, None]:
        """None first: we may listen."""
        self.connected.append(time.monotonic())
        yield None
        yield from self.brings()

    def look(self) -> QueueState:
        """Nobody asks."""
        return QueueState(0)


@contextmanager
def consuming(services: Services, source: Source) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=consume, args=(services, source, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def cut() -> Iterator[Arrival | None]:
    """Dropped at once."""
    raise DROPPED
    yield None


def unsettled() -> Iterator[Arrival | None]:
    """A message that we may read and not settle."""
    yield Told()
    raise DROPPED


@pytest.mark.parametrize("brings", [cut, unsettled])
def test_pauses_grow_while_each_connection_is_dropped(
    services: Services, books: Books, brings: Callable[[], Iterator[Arrival | None]], caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(brings)
    with consuming(services, source):
        wait_for(lambda: len(source.connected) >= 4, 60)
    assert source.connected[3] - source.connected[2] >= 2  # four seconds, less chance
    assert services.events_outage.away
    assert sum("the source of events is away" in line for line in caplog.messages) == 1


def test_one_comparison_at_a_time_and_one_after_the_last_connection(services: Services, books: Books) -> None:
    store, source = Slow(services), Source(cut)
    services.events_outage._longest = 0.05  # connections in quick succession
    with consuming(services, source):
        wait_for(lambda: len(source.connected) >= 10 and store.running == 1, 60)
        assert len(store.begun) == 1
        source.brings = lasting
        wait_for(lambda: time.monotonic() - source.connected[-1] > 1, 60)  # no other connection follows
        store.may_end.set()
        wait_for(lambda: store.begun[-1] > source.connected[-1] and store.running == 0, 60)
    assert store.most == 1


def lasting() -> Iterator[Arrival | None]:
    """A connection that brings nothing and lasts."""
    while True:
        time.sleep(0.05)
        yield None


def test_a_connection_that_lasts_ends_the_outage(
    services: Services, books: Books, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(follow, "_LASTING", 0.3)
    services.events_outage.began(DROPPED)
    with consuming(services, Source(lasting)):
        wait_for(lambda: not services.events_outage.away, 30)


def test_what_was_settled_ends_the_outage(services: Services, books: Books) -> None:
    services.events_outage.began(DROPPED)
    told = Told()

    def brings() -> Iterator[Arrival | None]:
        yield told
        assert told.confirmed and services.events_outage.away
        yield from lasting()

    with consuming(services, Source(brings)):
        wait_for(lambda: not services.events_outage.away, 4)  # sooner than by lasting


def test_nothing_is_compared_after_the_end(services: Services, books: Books) -> None:
    store, comparing = Slow(services), Comparing(services)
    comparing.ask()
    wait_for(lambda: store.running == 1, 30)
    comparing.ask()
    comparing.end()
    store.may_end.set()
    wait_for(lambda: store.running == 0, 30)
    comparing.ask()
    time.sleep(0.3)
    assert len(store.begun) == 1
