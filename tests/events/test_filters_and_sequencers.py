"""Key filters and the order of events."""

import pytest

from infra.events.filters import KeyFilter
from infra.events.sequencers import compare
from schemas.events import EventKind, ObjectEvent

FILTERS = [
    (KeyFilter(), "anything", True),
    (KeyFilter(prefixes=("in/",)), "in/a.png", True),
    (KeyFilter(prefixes=("in/",)), "In/a.png", False),
    (KeyFilter(prefixes=("in/", "new/")), "new/a.png", True),
    (KeyFilter(suffixes=(".jpg",)), "IMG_1.JPG", True),
    (KeyFilter(suffixes=(".JPG",)), "img.jpg", True),
    (KeyFilter(suffixes=(".jpg",)), "a.jpg.txt", False),
    (KeyFilter(("in/",), (".png",)), "in/a.png", True),
    (KeyFilter(("in/",), (".png",)), "in/a.gif", False),
    (KeyFilter(("in/",), (".png",)), "out/a.png", False),
    (KeyFilter(prefixes=("画像/",)), "画像/a.png", True),
]


@pytest.mark.parametrize(("keys", "key", "taken"), FILTERS)
def test_a_filter_takes_by_beginning_and_end(keys: KeyFilter, key: str, taken: bool) -> None:  # R71
    assert keys.takes(key) is taken


SEQUENCERS = [
    ("0055AED6DCD90281E5", "0055AED6DCD90281E6", -1),
    ("0069572e46d90281e5", "0069572E46D90281E5", 0),
    ("2", "1FFF", 1),
    ("1", "1000", 0),
    ("F", "EFFF", 1),
    ("", "1", None),
    (None, "1", None),
    ("0x1F", "1F", None),
    ("G1", "1", None),
    ("1", "１", None),
]


def _event(sequencer: str | None, *, source: str = "aws", key: str = "a", bucket: str = "b") -> ObjectEvent:
    return ObjectEvent(EventKind.CREATED, bucket, key, source=source, sequencer=sequencer)


@pytest.mark.parametrize(("one", "other", "order"), SEQUENCERS)
def test_sequencers_are_padded_on_the_right_and_compared_as_hex(  # R71
    one: str | None, other: str | None, order: int | None
) -> None:
    assert compare(_event(one), _event(other)) == order
    assert compare(_event(other), _event(one)) == (None if order is None else -order)


@pytest.mark.parametrize("other", [_event("2", source="eventbridge"), _event("2", key="z"), _event("2", bucket="z")])
def test_events_of_different_keys_or_sources_have_no_order(other: ObjectEvent) -> None:  # R71
    assert compare(_event("1"), other) is None
