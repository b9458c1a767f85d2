"""Models on the same cores take turns: the oldest images first, and nobody waits for a slow one (R61)."""

import threading
import time
from datetime import timedelta

import pytest

from schemas.errors import NafudaError
from schemas.results import ModelOutput
from tests.batching.devices import SIZE, Device, images, read, said
from workers.batching.batch import Batch
from workers.batching.batcher import Batcher, BatcherOptions
from workers.batching.turns import Turns

SOON = timedelta(seconds=20)
LATER = timedelta(hours=1)


def waits(turns: Turns, since: float, done: list[float]) -> threading.Thread:
    """A thread that wants a turn for images of that age, and writes its age down when it has it."""

    def take() -> None:
        with turns.turn(since):
            done.append(since)

    thread = threading.Thread(target=take)
    thread.start()
    return thread


def blocked(turns: Turns, count: int) -> bool:
    """True as soon as so many wait."""
    until = time.monotonic() + SOON.total_seconds()
    while len(turns._waiting) < count:
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True


def test_who_waits_longest_is_next_whoever_asked_first() -> None:
    turns, done = Turns(1, LATER), list[float]()
    with turns.turn(0.0):
        threads = [waits(turns, since, done) for since in (3.0, 1.0, 2.0)]
        assert blocked(turns, 3)
        assert done == []
    for thread in threads:
        thread.join(SOON.total_seconds())
    assert done == [1.0, 2.0, 3.0]


def test_there_are_as_many_at_work_as_there_are_places() -> None:
    turns, lock = Turns(2, LATER), threading.Lock()
    at_work, most = 0, 0

    def work(since: float) -> None:
        nonlocal at_work, most
        for _ in range(20):
            with turns.turn(since):
                with lock:
                    at_work += 1
                    most = max(most, at_work)
                time.sleep(0.0005)
                with lock:
                    at_work -= 1

    threads = [threading.Thread(target=work, args=(float(number),)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON.total_seconds())
    assert (at_work, most) == (0, 2)


def test_a_slow_one_does_not_hold_up_the_others() -> None:
    turns, done = Turns(1, timedelta(milliseconds=20)), list[float]()
    with turns.turn(0.0):  # and this one never ends by itself
        waits(turns, 1.0, done).join(SOON.total_seconds())
        assert done == [1.0]


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns(1, LATER)
    with pytest.raises(ZeroDivisionError), turns.turn(0.0):
        raise ZeroDivisionError
    with turns.turn(1.0):
        pass


def test_no_places_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="expected 1 or more, got 0"):
        Turns(0)


def test_a_batch_has_the_age_of_its_oldest_images_whenever_they_found_room_in_the_ring() -> None:
    turns, device, order = Turns(1, LATER), Device(), list[int]()

    def forward(batch: Batch) -> list[ModelOutput | NafudaError]:
        order.extend(read(batch))
        return device.forward(batch)

    batchers = [Batcher(forward, BatcherOptions(SIZE, 1), turns=turns) for _ in range(2)]
    try:
        with turns.turn(0.0):
            tickets = [batchers[0].submit(images([7]), since=2.0)]
            assert blocked(turns, 1)
            tickets.append(batchers[1].submit(images([8]), since=1.0))
            assert blocked(turns, 2)
        assert [said(ticket.results(SOON)[0]) for ticket in tickets] == [7, 8]
        assert order == [8, 7]
    finally:
        for batcher in batchers:
            assert batcher.close(SOON)


def test_a_model_that_waits_for_its_turn_does_not_hang() -> None:
    turns, device = Turns(1, LATER), Device()
    batcher = Batcher(device.forward, BatcherOptions(SIZE, 1), turns=turns)
    try:
        with turns.turn(0.0):
            ticket = batcher.submit(images([1]))
            assert blocked(turns, 1)
            assert batcher.busy_since is None
        assert said(ticket.results(SOON)[0]) == 1
    finally:
        assert batcher.close(SOON)
