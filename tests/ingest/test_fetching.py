"""Several requests at once, and portions of what they bring (R61)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import NafudaError, NotFoundError
from schemas.images import ObjectHead
from workers.fetching import Several, portions


def halved(number: int) -> int:
    if number % 2:
        raise NotFoundError(f"{number} has no half")
    if number > 99:
        raise ZeroDivisionError(number)
    return number // 2


@pytest.mark.parametrize("places", [1, 3])
def test_each_answer_and_each_error_stands_where_it_was_asked(places: int) -> None:
    with Several(places) as several:
        found = several.each(halved, range(5))
    assert [isinstance(each, NafudaError) for each in found] == [False, True, False, True, False]
    assert [str(each) for each in found] == ["0", "1 has no half", "1", "3 has no half", "2"]


@pytest.mark.parametrize("places", [1, 2])
def test_what_nobody_foresaw_is_raised(places: int) -> None:
    with Several(places) as several, pytest.raises(ZeroDivisionError):
        several.each(halved, (2, 100, 4))


@given(st.lists(st.integers(0, 50)), st.integers(1, 60))
def test_portions_hold_everything_in_order_and_no_more_than_they_may(sizes: list[int], most: int) -> None:
    items = [(number, head(size)) for number, size in enumerate(sizes)]
    made = list(portions(items, most))
    assert [item for portion in made for item in portion] == items
    assert all(len(portion) == 1 or sum(head.size for _, head in portion) <= most for portion in made)


def head(size: int) -> ObjectHead:
    return ObjectHead("images", "a.png", "", "", size, datetime.now(UTC))
