"""What may wait takes as much room as it gives back within a second (R72)."""

from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta

import pytest

from tasks.room import COMING, LEAST, LONG, Place, Room


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def chunk(room: Room, clock: Clock, took: timedelta, stage: str = "tagging", taken: int | None = None) -> int:
    """One chunk that took so long, full unless said otherwise; returns how large it might be."""
    with place(room, stage) as given:
        given.taken = given.share if taken is None else taken
        clock.now += took.total_seconds()
    return given.share


def place(room: Room, stage: str) -> AbstractContextManager[Place]:
    return room.place(f"{stage}s", (stage,))


def given(stack: ExitStack, room: Room, *stages: str) -> list[bool]:
    """Which of these find a place, that they keep until the stack is closed."""
    return [stack.enter_context(place(room, stage)).share > 0 for stage in stages]


def test_chunks_shrink_while_they_take_long_but_never_to_nothing(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    assert [chunk(room, clock, LONG * 2) for _ in range(5)] == [16, 8, 4, LEAST, LEAST]


def test_chunks_grow_to_whole_ones_while_they_take_a_moment_and_stay_in_between(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    assert [chunk(room, clock, LONG / 10) for _ in range(3)] == [16, 32, 32]
    assert [chunk(room, clock, LONG / 2) for _ in range(2)] == [32, 32]
    assert [chunk(room, clock, LONG * 2) for _ in range(2)] == [32, 16]


def test_each_kind_of_chunk_learns_for_itself(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    chunk(room, clock, LONG * 2, "tagging")
    assert chunk(room, clock, LONG / 2, "captioning") == 16


@pytest.mark.parametrize("taken", [0, 15])
def test_nothing_and_little_tell_nothing_of_more(clock: Clock, taken: int) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    assert [chunk(room, clock, LONG / 10, taken=taken) for _ in range(3)] == [16, 16, 16]


@pytest.mark.parametrize(("taken", "then"), [(0, 16), (1, 8)])
def test_what_takes_long_tells_of_more_but_waiting_for_nothing_does_not(clock: Clock, taken: int, then: int) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    chunk(room, clock, LONG * 2, taken=taken)
    assert chunk(room, clock, LONG / 2) == then


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 1), (3, 2), (9, 2)])
def test_a_kind_has_two_places_and_a_thread_stays_free(threads: int, places: int) -> None:
    room = Room(threads, chunk=32)
    with ExitStack() as stack:
        assert given(stack, room, *["tagging"] * 4) == [number < places for number in range(4)]
    with place(room, "tagging") as again:
        assert again.share


def test_all_kinds_together_leave_a_thread_free() -> None:
    room = Room(threads=4, chunk=32)
    with ExitStack() as stack:
        stages = ("ingest", "tagging", "captioning", "ingest", "tagging")
        assert given(stack, room, *stages) == [True] * 3 + [False] * 2


def test_where_whole_chunks_are_done_in_a_moment_backfill_takes_what_it_can(clock: Clock) -> None:
    room = Room(threads=5, chunk=32, clock=clock)
    for _ in range(2):
        chunk(room, clock, LONG / 10)
    with ExitStack() as stack:
        assert [stack.enter_context(place(room, "tagging")).share for _ in range(5)] == [32, 32, 32, 32, 0]


def test_who_was_refused_is_told_and_comes_before_another_chunk_of_those_at_work() -> None:
    room = Room(threads=3, chunk=32)
    with ExitStack() as first, ExitStack() as second:
        assert given(first, room, "captioning") + given(second, room, "captioning") == [True, True]
        assert given(first, room, "tagging", "reading") == [False, False]
        assert room.refused() == ["taggings", "readings"]
        first.close()
        assert given(first, room, "captioning", "reading") == [False, False]  # tagging was refused before
        assert given(first, room, "tagging") == [True] and room.refused() == ["readings", "captionings"]
        second.close()
        assert given(second, room, "captioning", "reading") == [False, True] and room.refused() == ["captionings"]


def test_another_chunk_that_others_hindered_is_told_too_but_keeps_no_place() -> None:
    room = Room(threads=3, chunk=32)
    with ExitStack() as first, ExitStack() as second:
        assert given(first, room, "captioning") + given(second, room, "tagging") == [True, True]
        assert given(first, room, "captioning") == [False] and room.refused() == ["captionings"]
        second.close()
        assert given(second, room, "tagging") == [True]
        assert given(second, room, "tagging") == [False] and room.refused() == ["captionings", "taggings"]


def test_one_place_goes_from_hand_to_hand() -> None:
    room = Room(threads=2, chunk=32)
    order = []
    for wanted in ("captioning", "tagging", "captioning", "tagging"):
        with ExitStack() as stack:
            other = "tagging" if wanted == "captioning" else "captioning"
            assert given(stack, room, wanted, other) == [True, False]
            order += room.refused()
        assert given(ExitStack(), room, wanted) == [False]  # it was the other's turn
    assert order == ["taggings", "captionings"] * 2


def test_a_place_is_kept_only_for_who_comes(clock: Clock) -> None:
    room = Room(threads=2, chunk=32, clock=clock)
    with ExitStack() as stack:
        assert given(stack, room, "captioning", "tagging") == [True, False]
        clock.now += 60  # no hint is sent while nobody leaves
        assert room.refused() == ["taggings"]
    assert given(ExitStack(), room, "captioning") == [False]
    clock.now += COMING.total_seconds()
    assert room.refused() == ["captionings"]  # another process took what was to be tagged
    with place(room, "captioning") as free:
        assert free.share


def test_an_error_gives_the_place_back() -> None:
    room = Room(threads=2, chunk=32)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), place(room, "tagging") as free:
            assert free.share
            raise ZeroDivisionError
