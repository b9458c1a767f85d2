"""What may wait takes as much room as it gives back within a second (R72)."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from tasks.room import LEAST, LONG, Room


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def chunk(room: Room, clock: Clock, took: timedelta, queue: str = "vision") -> int:
    """One chunk that took so long; returns its size."""
    with room.place(queue) as share:
        clock.now += took.total_seconds()
    return share


def test_chunks_shrink_while_they_take_long_but_never_to_nothing(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    assert [chunk(room, clock, LONG * 2) for _ in range(5)] == [16, 8, 4, LEAST, LEAST]


def test_chunks_grow_to_whole_ones_while_they_take_a_moment_and_stay_in_between(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    assert [chunk(room, clock, LONG / 10) for _ in range(3)] == [16, 32, 32]
    assert [chunk(room, clock, LONG / 2) for _ in range(2)] == [32, 32]
    assert [chunk(room, clock, LONG * 2) for _ in range(2)] == [32, 16]


def test_each_queue_learns_for_itself(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    chunk(room, clock, LONG * 2, "vision")
    assert chunk(room, clock, LONG / 2, "language") == 16


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 1), (3, 2), (9, 2)])
def test_a_queue_has_two_places_and_a_thread_stays_free(threads: int, places: int) -> None:
    room = Room(threads, chunk=32)
    with ExitStack() as stack:
        assert [stack.enter_context(room.place("vision")) > 0 for _ in range(4)] == [
            number < places for number in range(4)
        ]
    with room.place("vision") as share:
        assert share


def test_all_queues_together_leave_a_thread_free() -> None:
    room = Room(threads=4, chunk=32)
    queues = ("ingest", "vision", "language", "ingest", "vision")
    with ExitStack() as stack:
        assert [stack.enter_context(room.place(queue)) > 0 for queue in queues] == [True] * 3 + [False] * 2


def test_where_whole_chunks_are_done_in_a_moment_backfill_takes_what_it_can(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    for _ in range(2):
        chunk(room, clock, LONG / 10)
    with ExitStack() as stack:
        assert [stack.enter_context(room.place("vision")) for _ in range(5)] == [32, 32, 32, 32, 0]


def test_an_error_gives_the_place_back() -> None:
    room = Room(threads=2, chunk=32)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), room.place("vision") as share:
            assert share
            raise ZeroDivisionError
