"""What we ask of any queue of notifications: nothing is lost, whoever ends when, and what was confirmed is gone."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager

import pytest

from schemas.errors import TransientError
from schemas.ports import Arrival, EventSource
from tests.e2e.instance import wait_for

Send = Callable[[str], None]
Arrivals = Generator[Arrival | None, None, None]


@contextmanager
def arriving(source: EventSource) -> Iterator[Arrivals]:
    """Somebody who listens; connected."""
    with closing(source.arrivals()) as arrivals:
        assert next(arrivals) is None
        yield arrivals


def taken(arrivals: Arrivals, looks: int = 15) -> Arrival:
    """What arrives next."""
    found = next((arrival for _, arrival in zip(range(looks), arrivals, strict=False) if arrival), None)
    assert found is not None, "nothing arrived"
    return found


def drained(arrivals: Arrivals, count: int) -> list[Sequence[str]]:
    """So many messages, confirmed, by how they came together."""
    came: list[Sequence[str]] = []
    while sum(map(len, came)) < count:
        arrival = taken(arrivals)
        came.append(arrival.bodies)
        arrival.confirm()
    return came


def nothing(arrivals: Arrivals, looks: int = 2) -> bool:
    """Whether nothing arrives for some seconds."""
    return not any(arrival for _, arrival in zip(range(looks), arrivals, strict=False))


class EventSourceContract:
    """Inherit it and give `source` of a fresh queue, `send` into it, and `nowhere`, whose queue is not there."""

    def test_what_was_sent_arrives_as_text_and_what_was_confirmed_never_again(
        self, source: EventSource, send: Send
    ) -> None:
        bodies = {f'{{"写真": {number}}}' for number in range(25)}  # more than a poll brings
        for body in bodies:
            send(body)
        with arriving(source) as arrivals:
            assert {body for some in drained(arrivals, len(bodies)) for body in some} == bodies
        with arriving(source) as arrivals:
            assert nothing(arrivals)

    def test_what_waits_comes_together(self, source: EventSource, send: Send) -> None:
        for number in range(25):
            send(str(number))
        wait_for(lambda: source.look().waiting == 25, 10)
        with arriving(source) as arrivals:
            assert max(map(len, drained(arrivals, 25))) > 1

    def test_what_was_not_confirmed_comes_to_the_next_listener(self, source: EventSource, send: Send) -> None:
        send("first")
        with arriving(source) as arrivals:
            taken(arrivals).confirm()
            send("second")
            assert taken(arrivals).bodies == ["second"]
        with arriving(source) as arrivals:
            again = taken(arrivals)
            assert again.bodies == ["second"]
            again.confirm()

    def test_one_that_is_held_for_long_can_be_confirmed(self, source: EventSource, send: Send) -> None:
        send("slow")
        with arriving(source) as arrivals:
            arrival = taken(arrivals)
            for _ in range(100):
                arrival.hold()
            arrival.confirm()
            assert nothing(arrivals)

    def test_who_stops_listening_takes_nothing_along(self, source: EventSource, send: Send) -> None:
        with arriving(source) as arrivals:
            assert nothing(arrivals, 2)  # it waits
        send("late")
        with arriving(source) as arrivals:
            arrival = taken(arrivals)
            assert arrival.bodies == ["late"]
            arrival.confirm()

    def test_a_queue_that_is_not_there_is_named_and_may_come(self, nowhere: EventSource) -> None:
        with pytest.raises(TransientError, match=nowhere.name), closing(nowhere.arrivals()) as arrivals:
            next(arrivals)
        with pytest.raises(TransientError, match=nowhere.name):
            nowhere.look()

    def test_a_look_tells_what_waits_and_takes_nothing(self, source: EventSource, send: Send) -> None:
        for body in ("first", "second"):
            send(body)
        wait_for(lambda: source.look().waiting == 2, 10)
        with arriving(source) as arrivals:
            drained(arrivals, 2)
            assert nothing(arrivals)
        wait_for(lambda: source.look().waiting == 0, 10)
