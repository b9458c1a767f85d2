"""Several requests at once, and portions of what they bring (R61)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.objects.folder import FolderStore
from schemas.errors import NafudaError, NotFoundError
from schemas.images import Look, ObjectHead
from workers.fetching import Looks, Several, portions


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
    items = [(number, Look(head(size))) for number, size in enumerate(sizes)]
    made = list(portions(items, most))
    assert [item for portion in made for item in portion] == items
    assert all(len(portion) == 1 or sum(look.head.size for _, look in portion) <= most for portion in made)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans())), st.integers(1, 60))
def test_what_has_its_bytes_comes_first_and_together(objects: list[tuple[int, bool]], most: int) -> None:
    items = [(n, Look(head(size), bytes(size) if there else None)) for n, (size, there) in enumerate(objects)]
    there = [item for item in items if item[1].content is not None]
    first, *others = [there, *portions([item for item in items if item not in there], most)]
    assert list(portions(items, most)) == ([first, *others] if first else others)


class Sized(FolderStore):
    """A folder whose objects are so large, with what was asked of it."""

    def __init__(self, root: Path, *sizes: int) -> None:
        super().__init__(root, create=True)
        self.make_bucket("images")
        self.asked: list[str] = []
        for number, size in enumerate(sizes):
            self.put("images", str(number), bytes(size))

    def head(self, bucket: str, key: str, version: str = "") -> ObjectHead | None:
        self.asked.append("head")
        return super().head(bucket, key, version)

    def look(self, bucket: str, key: str, fits: Callable[[int], bool]) -> Look | None:
        self.asked.append("look")
        return super().look(bucket, key, fits)


def seen(looks: Looks, count: int) -> list[int | None]:
    """How many bytes each look brought; None for a head alone."""
    found = [looks.look("images", str(number)) for number in range(count)]
    return [None if look is None or look.content is None else len(look.content) for look in found]


def test_bytes_come_along_until_so_many_are_in_memory_and_are_then_not_asked_for(tmp_path: Path) -> None:
    store = Sized(tmp_path, 40, 60, 1, 1)
    assert seen(Looks(store, 99, 1000), 4) == [40, None, None, None]
    assert store.asked == ["look", "head", "look", "head", "head", "head"]  # a look of a folder is a head and a read


@pytest.mark.parametrize(("most", "limit"), [(99, 50), (50, 99)])
def test_what_never_fits_keeps_nobody_elses_bytes_away(tmp_path: Path, most: int, limit: int) -> None:
    assert seen(Looks(Sized(tmp_path, 60, 20, 30), most, limit), 3) == [None, 20, 30]


def test_many_who_look_at_once_take_no_more_along_than_one(tmp_path: Path) -> None:
    looks = Looks(Sized(tmp_path, *[10] * 40), 95, 1000)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: looks.look("images", str(number)), range(40)))
    assert sum(look is not None and look.content is not None for look in found) == 9


def test_nothing_is_nothing(tmp_path: Path) -> None:
    looks = Looks(Sized(tmp_path), 10, 10)
    assert looks.look("images", "0") is looks.head("images", "0") is None


def head(size: int) -> ObjectHead:
    return ObjectHead("images", "a.png", "", "", size, datetime.now(UTC))
