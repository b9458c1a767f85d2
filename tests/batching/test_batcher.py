"""The batcher loses no image and keeps the order, whoever comes, fails, leaves or hangs (R61)."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from schemas.errors import NafudaError, TransientError
from schemas.results import ModelOutput
from tests.batching.devices import SIZE, Device, image, images, said
from workers.batching.batch import Batch, Prepared
from workers.batching.batcher import Batcher, BatcherOptions

SOON = timedelta(seconds=20)
Make = Callable[..., Batcher]


@pytest.fixture
def make() -> Iterator[Make]:
    """A maker of batchers of at most 4 images in 3 slots, all closed at the end."""
    made: list[tuple[Batcher, Device]] = []

    def one(
        device: Device, *, most: int = 4, slots: int = 3, delay: float = 0.0, preferred: tuple[int, ...] = ()
    ) -> Batcher:
        options = BatcherOptions(SIZE, most, preferred, timedelta(seconds=delay), slots)
        made.append((Batcher(device.forward, options), device))
        return made[-1][0]

    yield one
    for batcher, device in made:
        device.gate.set()
        assert batcher.close(SOON)


def test_answers_come_in_the_order_of_submission(make: Make) -> None:
    device = Device()
    outcomes = make(device).submit(images(range(11))).results(SOON)
    assert [said(outcome) for outcome in outcomes] == list(range(11))
    assert max(len(numbers) for numbers in device.batches) <= 4


def test_submissions_that_wait_together_run_together(make: Make) -> None:
    device = Device()
    device.gate.clear()
    batcher = make(device)
    first = batcher.submit(images([1]))
    device.entered.wait()
    tickets = [batcher.submit(images([n])) for n in (2, 3, 4)]
    device.gate.set()
    assert [said(ticket.results(SOON)[0]) for ticket in (first, *tickets)] == [1, 2, 3, 4]
    assert device.batches == [[1], [2, 3, 4]]
    assert tickets[0].results()[0].batch == 3


def test_an_image_waits_for_company_but_not_for_ever(make: Make) -> None:
    device = Device()
    batcher = make(device, delay=0.05)
    assert said(batcher.submit(images([7])).results(SOON)[0]) == 7
    assert device.batches == [[7]]


def test_a_full_batch_does_not_wait(make: Make) -> None:
    batcher = make(Device(), delay=3600)
    assert len(batcher.submit(images(range(4))).results(SOON)) == 4


def test_nothing_submitted_is_nothing_answered(make: Make) -> None:
    assert make(Device()).submit([]).results(SOON) == []


def test_batches_are_padded_to_preferred_sizes(make: Make) -> None:
    device = Device()
    device.gate.clear()
    batcher = make(device, most=8, preferred=(1, 4, 8))
    first = batcher.submit(images([1]))
    device.entered.wait()
    second = batcher.submit(images([2, 3, 4]))
    device.gate.set()
    assert [said(each) for each in first.results(SOON) + second.results(SOON)] == [1, 2, 3, 4]
    assert device.shapes == [1, 4]


def test_one_bad_image_fails_alone_across_submissions(make: Make) -> None:
    device = Device(poison=frozenset([2]))
    device.gate.clear()
    batcher = make(device)
    tickets = [batcher.submit(images([n])) for n in range(4)]
    device.gate.set()
    assert [said(ticket.results(SOON)[0]) for ticket in tickets] == [0, 1, "forward-failed", 3]


def test_a_full_ring_makes_callers_wait_until_there_is_room(make: Make) -> None:
    device = Device()
    device.gate.clear()
    batcher = make(device, slots=2)
    batcher.submit(images(range(8)))
    with pytest.raises(TransientError, match="too slow") as caught:
        batcher.submit(images([9]), timeout=timedelta(milliseconds=20))
    assert caught.value.code == "busy"
    device.gate.set()
    assert said(batcher.submit(images([10]), timeout=SOON).results(SOON)[0]) == 10


def test_a_submission_whose_source_breaks_leaves_the_others_alone(make: Make) -> None:
    device = Device()
    device.gate.clear()
    batcher = make(device)

    def broken() -> Iterator[Prepared]:
        yield image(1)
        raise OSError("the decoder is gone")

    with pytest.raises(OSError, match="decoder"):
        batcher.submit(broken())
    other = batcher.submit(images([2]))
    device.gate.set()
    assert said(other.results(SOON)[0]) == 2


def test_cancelled_images_do_not_reach_the_device(make: Make) -> None:
    device = Device()
    device.gate.clear()
    batcher = make(device)
    first = batcher.submit(images([1]))
    device.entered.wait()
    gone, stays = batcher.submit(images([2])), batcher.submit(images([3]))
    gone.cancel()
    device.gate.set()
    assert [said(ticket.results(SOON)[0]) for ticket in (first, gone, stays)] == [1, "cancelled", 3]
    assert device.batches == [[1], [3]]


def test_closing_finishes_what_was_submitted_and_takes_nothing_new(make: Make) -> None:
    device = Device()
    device.gate.clear()
    batcher = make(device, delay=3600)
    tickets = [batcher.submit(images(range(n, n + 3))) for n in (0, 3)]
    assert not batcher.close(timedelta(milliseconds=20))
    with pytest.raises(TransientError, match="closed"):
        batcher.submit(images([1]))
    device.gate.set()
    assert batcher.close(SOON)
    assert [said(each) for ticket in tickets for each in ticket.results(SOON)] == list(range(6))


def test_a_caller_that_waits_for_room_while_it_closes_is_served(make: Make) -> None:
    device = Device()
    device.gate.clear()
    batcher = make(device, slots=2)
    answers: list[int | str] = []

    def call() -> None:
        answers.extend(said(each) for each in batcher.submit(images(range(20))).results(SOON))

    caller = threading.Thread(target=call)
    caller.start()
    device.entered.wait()
    assert not batcher.close(timedelta(milliseconds=20))
    device.gate.set()
    caller.join()
    assert answers == list(range(20))


def test_a_broken_device_can_be_told_from_a_bad_image(make: Make) -> None:
    device = Device(poison=frozenset(range(100)))
    batcher = make(device)
    for count in (1, 2, 3):
        batcher.submit(images([count])).results(SOON)
        assert batcher.failed_in_row == count
    batcher.submit(images([100])).results(SOON)
    assert batcher.failed_in_row == 0


def test_a_hanging_device_can_be_seen(make: Make) -> None:
    device = Device()
    batcher = make(device)
    assert batcher.busy_since is None
    device.gate.clear()
    before = time.monotonic()
    ticket = batcher.submit(images([1]))
    device.entered.wait()
    assert batcher.busy_since is not None
    assert batcher.busy_since >= before
    with pytest.raises(TransientError, match="hangs"):
        ticket.results(timedelta(milliseconds=20))
    device.gate.set()
    assert said(ticket.results(SOON)[0]) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_when_the_device_thread_dies_nobody_waits_for_ever() -> None:
    def forward(batch: Batch) -> list[ModelOutput | NafudaError]:
        raise SystemExit

    batcher = Batcher(forward, BatcherOptions(SIZE, 4))
    assert said(batcher.submit(images([1])).results(SOON)[0]) == "device-died"
    assert batcher.close(SOON)
    with pytest.raises(TransientError, match="closed"):
        batcher.submit(images([2]))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_caller_that_waits_for_room_learns_that_the_device_thread_died() -> None:
    gate = threading.Event()

    def forward(batch: Batch) -> list[ModelOutput | NafudaError]:
        gate.wait()
        raise SystemExit

    batcher = Batcher(forward, BatcherOptions(SIZE, 1, slots=2))
    codes: list[str] = []

    def call() -> None:
        try:
            batcher.submit(images(range(5)))
        except TransientError as error:
            codes.append(error.code)

    caller = threading.Thread(target=call)
    caller.start()
    gate.set()
    caller.join(SOON.total_seconds())
    assert codes == ["device-died"]
    assert batcher.close(SOON)  # its exception is told within this test


@pytest.mark.parametrize("seed", range(8))
def test_many_threads_and_random_failures_lose_and_reorder_nothing(make: Make, seed: int) -> None:
    chance = random.Random(seed)
    numbers = range(1200)
    poison = frozenset(chance.sample(numbers, 15))
    refused = frozenset(chance.sample(numbers, 40)) - poison
    device = Device(poison=poison, refused=refused, most=chance.choice([3, 1000]))
    batcher = make(device, most=8, slots=chance.choice([1, 2, 3]), preferred=chance.choice([(), (2, 8)]))
    wrong: list[str] = []

    def caller(mine: list[int], dice: random.Random) -> None:
        while mine:
            taken = [mine.pop() for _ in range(min(len(mine), dice.randint(1, 20)))]
            ticket = batcher.submit(images(taken))
            if dice.random() < 0.1:
                ticket.cancel()
                continue
            expected = ["forward-failed" if n in poison else "refused" if n in refused else n for n in taken]
            found = [said(each) for each in ticket.results(SOON)]
            if found != expected:
                wrong.append(f"{taken}: {found}")

    threads = [threading.Thread(target=caller, args=(list(numbers[n::6]), random.Random(n))) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
