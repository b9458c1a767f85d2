"""How long the index may wait for more to be known of an image (R61, R72)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.merging import MergeInput, Unfinished
from schemas.record import FlagView, Visibility
from tests.merging.known import EMPTY, rules, said
from workers.merging import merge, patience
from workers.merging.patience import FIRST, NEXT

PENDING = (Unfinished("captioning", 9, "pending", 0, ""),)
FAILED = (Unfinished("captioning", 9, "failed", 3, "it cannot"),)
TAGGED = replace(EMPTY, said=(said(1, {"sword": 0.9}),), unfinished=PENDING)
BEFORE = merge(EMPTY, rules())


def waits(known: MergeInput) -> timedelta:
    return patience(known, merge(known, rules()))


def test_what_was_just_said_waits_for_what_is_being_worked_on() -> None:
    assert waits(TAGGED) == FIRST
    assert waits(replace(TAGGED, published=BEFORE)) == NEXT


@pytest.mark.parametrize(
    "known",
    [
        replace(TAGGED, unfinished=()),
        replace(TAGGED, unfinished=FAILED),
        replace(TAGGED, said=()),
        replace(TAGGED, places=(), published=BEFORE),
    ],
    ids=["whole", "nothing will come", "nothing said", "gone"],
)
def test_nothing_waits_for_what_will_not_come(known: MergeInput) -> None:
    assert waits(known) == timedelta()


def test_what_moderation_hides_or_flags_waits_for_nothing() -> None:
    known = replace(TAGGED, published=BEFORE)
    record = merge(known, rules())
    flag = FlagView("violence/weapons", 1, "medium", "hold", "tag:sword", 0.9, 0.3, "alpha")
    assert patience(known, replace(record, visibility=Visibility.HELD)) == timedelta()
    assert patience(known, replace(record, flags=(flag,))) == timedelta()
