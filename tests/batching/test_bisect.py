"""A failing batch costs the bad image alone (R61)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError, NafudaError, TransientError
from schemas.results import ModelOutput
from tests.batching.devices import Device, image, output
from workers.batching.batch import Batch
from workers.batching.bisect import Answer, run


def batch_of(numbers: list[int]) -> Batch:
    prepared = [image(number) for number in numbers]
    return Batch(np.stack([each.pixels for each in prepared]), tuple(each.geometry for each in prepared))


def say(answers: list[Answer]) -> list[int | str]:
    return [each.code if isinstance(each, NafudaError) else int(each.labels[0]) for each in answers]


@given(st.integers(1, 40), st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39)))
def test_whatever_fails_the_neighbours_answers_are_right(count: int, poison: set[int], refused: set[int]) -> None:
    device = Device(poison=frozenset(poison), refused=frozenset(refused))
    expected = ["forward-failed" if n in poison else "refused" if n in refused else n for n in range(count)]
    assert say(run(device.forward, batch_of(list(range(count))))) == expected


def test_short_memory_halves_the_batch_and_loses_nothing() -> None:
    device = Device(most=8)
    assert say(run(device.forward, batch_of(list(range(32))))) == list(range(32))
    assert [len(numbers) for numbers in device.batches] == [32, 16, 8, 8, 16, 8, 8]


def test_one_image_that_alone_is_too_much_memory_may_be_tried_again() -> None:
    answers = run(Device(most=0).forward, batch_of([1]))
    assert isinstance(answers[0], TransientError)
    assert answers[0].code == "memory"


def test_a_fault_of_the_installation_is_not_searched_for_in_the_images() -> None:
    calls = 0

    def forward(batch: Batch) -> list[ModelOutput | NafudaError]:
        nonlocal calls
        calls += 1
        raise ConfigurationError("the driver is too old")

    assert say(run(forward, batch_of([1, 2, 3, 4]))) == ["bad-configuration"] * 4
    assert calls == 1


@pytest.mark.parametrize("extra", [-1, 1])
def test_a_runner_with_a_wrong_number_of_answers_is_not_believed(extra: int) -> None:
    def forward(batch: Batch) -> list[ModelOutput | NafudaError]:
        return [output(1)] * (len(batch) + extra)

    assert say(run(forward, batch_of([1, 2, 3]))) == ["bad-manifest"] * 3
