"""The rest of the record: boxes, rating, people, status, stages; the same for any order of what is known (R42, R73)."""

import random
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merging import Beside, Edit, RegisteredModel, Said, Unfinished
from schemas.models import Label
from schemas.record import Status
from schemas.results import ModelOutput
from tests.merging.known import EMPTY, MODELS, TAGS, add, merged, names, remove, rules, said
from workers.merging import document_of, merge

T = TypeVar("T")
RULES = rules(
    aliases={"female": "2girls"},
    implications={"sword": ("weapon",), "weapon": ("tool",), "beach": ("outdoors",), "miku": ("vocaloid",)},
    exclusive=(frozenset({"solo", "2girls"}), frozenset({"indoors", "outdoors"}), frozenset({"solo", "no_humans"})),
)


@pytest.mark.parametrize(
    ("scores", "rating", "confidence"),
    [
        ([{"safe": 0.4, "lewd": 0.3}], "safe", 0.4),  # arg max, whatever the threshold
        ([{"safe": 0.4}, {"lewd": 0.45}], "lewd", 0.45),
        ([{"safe": 0.5, "lewd": 0.5}], "lewd", 0.5),
        ([{"sword": 0.9}], None, None),
        ([], None, None),
    ],
)
def test_the_rating_is_the_most_probable_of_all_models(
    scores: list[dict[str, float]], rating: str | None, confidence: float | None
) -> None:
    record = merged(*(said(number, each) for number, each in enumerate(scores, 1)))
    assert record.rating == rating
    assert record.rating_confidence == pytest.approx(confidence, abs=1e-4)
    assert "safe" not in names(record)


@pytest.mark.parametrize(
    ("answers", "people"),
    [
        ([], None),
        ([said(1, {"sword": 0.9})], None),
        ([said(1, {"no_humans": 0.9})], 0),
        ([said(3, {"sword": 0.9})], 0),  # it looked and saw nobody
        ([said(3, {"person": 0.9})], 1),
        ([said(3, {"person": 0.4})], 0),
        ([said(3, {"person": 0.9}), said(1, {"no_humans": 0.9})], 1),
    ],
)
def test_people_are_counted_by_boxes_and_unknown_when_nobody_looked(answers: list[Said], people: int | None) -> None:
    assert merged(*answers).people == people


def test_boxes_hold_from_their_threshold_and_are_no_tags() -> None:
    record = merged(said(3, {"person": 0.6, "sword": 0.45}))
    assert [(each.label, each.box, each.source) for each in record.detections] == [("person", (1, 2, 3, 4), "finder")]
    assert record.tags == ()


FAILED = Unfinished("tagging", 1, "failed", 4, "bad-output: no")
WAITS = Unfinished("detection", 3, "pending", 1, "")


@pytest.mark.parametrize(
    ("answers", "unfinished", "status"),
    [
        ([], (WAITS,), Status.PENDING),
        ([], (), Status.PENDING),
        ([said(1, {})], (WAITS,), Status.PARTIAL),
        ([], (FAILED, WAITS), Status.PARTIAL),  # R42
        ([said(3, {})], (FAILED,), Status.PARTIAL),
        ([said(1, {}), said(3, {})], (), Status.COMPLETE),
        ([said(1, {}), said(3, {})], (Unfinished("tagging", 2, "pending", 0, ""),), Status.COMPLETE),  # a later model
        ([said(1, {}), said(2, {})], (), Status.PARTIAL),
    ],
)
def test_the_status_is_judged_by_the_plan(
    answers: list[Said], unfinished: tuple[Unfinished, ...], status: Status
) -> None:
    assert merged(*answers, unfinished=unfinished).status == status


def test_an_empty_plan_is_complete_at_once() -> None:
    assert merge(replace(EMPTY, models=()), rules()).status == Status.COMPLETE


def test_stages_say_where_each_model_stands_and_why() -> None:
    record = merged(said(2, {}, millis=1.234), unfinished=(FAILED, WAITS))
    assert [(each.stage, each.model, each.state, each.reason, each.attempts) for each in record.stages] == [
        ("detection", "finder", "pending", "", 1),
        ("tagging", "alpha", "failed", "bad-output: no", 4),
        ("tagging", "beta", "done", "", 0),
    ]
    assert record.stages[2].millis == 1.23


def test_a_record_says_by_which_rules_it_was_made_and_whether_only_samples_spoke() -> None:
    record = merged(said(4, {"sword": 0.9}))
    assert (record.vocabulary, record.thresholds, record.plan, record.samples_only) == (5, 6, 3, True)
    assert not merged(said(4, {}), said(1, {})).samples_only
    assert not merged().samples_only


def test_a_model_that_is_not_registered_is_left_out() -> None:
    unknown = replace(said(1, {"sword": 0.9}), model=99)
    assert merged(unknown) == merged()


def test_the_document_of_a_record_without_objects_is_a_tombstone() -> None:
    record = merged(said(1, {"sword": 0.9}))
    assert not document_of(record, phash=0).deleted
    assert document_of(replace(record, places=()), phash=0).deleted


SCORES = st.dictionaries(
    st.sampled_from([label.name for label in TAGS]), st.sampled_from([0.3, 0.5, 0.6, 0.75, 0.9, 0.90003, 0.90004])
)
EDITS = st.dictionaries(st.sampled_from(["sword", "weapon", "solo", "beach", "mine"]), st.booleans(), max_size=3)
BESIDE = st.lists(st.sampled_from([("solo",), ("beach", "mine"), ("2girls", "sword")]), max_size=3)
BOXES = st.lists(st.sampled_from([0.5, 0.9]), max_size=3)


def shuffled(items: tuple[T, ...], luck: random.Random) -> tuple[T, ...]:
    return tuple(luck.sample(items, len(items)))


@given(st.lists(SCORES, min_size=1, max_size=3), EDITS, BESIDE, st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_changes_nothing(
    scores: list[dict[str, float]], words: dict[str, bool], beside: list[tuple[str, ...]], luck: random.Random
) -> None:  # R73
    numbers = (1, 2, 4)[: len(scores)]
    answers = tuple(said(number, each) for number, each in zip(numbers, scores, strict=True))
    edits: tuple[Edit, ...] = tuple(add(tag) if adds else remove(tag) for tag, adds in words.items())
    known = replace(
        EMPTY,
        said=(*answers, said(3, {"person": 0.9, "sword": 0.9})),
        edits=edits,
        beside=tuple(Beside("file", tags) for tags in beside),
        unfinished=(FAILED, WAITS),
    )
    turned = replace(
        known,
        said=shuffled(known.said, luck),
        edits=shuffled(known.edits, luck),
        beside=shuffled(known.beside, luck),
        unfinished=shuffled(known.unfinished, luck),
    )
    assert merge(turned, RULES) == merge(known, RULES)


@given(SCORES, SCORES, EDITS)
def test_no_record_contradicts_itself(one: dict[str, float], two: dict[str, float], words: dict[str, bool]) -> None:
    edits = tuple(add(tag) if adds else remove(tag) for tag, adds in words.items())
    record = merged(said(1, one), said(2, two), by=RULES, edits=edits)
    held = {tag.name for tag in record.tags}
    assert held.isdisjoint(tag.name for tag in record.dropped)  # R15
    assert held.isdisjoint(tag for tag, adds in words.items() if not adds)
    assert {tag for tag, adds in words.items() if adds} <= held
    assert "sword" not in held or "weapon" in held or words.get("weapon") is False  # R17
    said_by_people = {tag.name for tag in record.tags if tag.source == "human"}
    for group in RULES.vocabulary.exclusive:
        assert len(held & group) <= 1 or len(said_by_people) > 1


def test_a_sample_is_not_heard_where_a_real_model_can_speak() -> None:
    """MODELS[4] is a sample tagger, MODELS[1] a real one."""
    alone = merged(said(4, {"sword": 0.99, "safe": 0.97}))
    assert (names(alone), alone.rating) == (["sword"], "safe")
    both = merged(said(4, {"sword": 0.99, "safe": 0.97}), said(1, {"beach": 0.9, "lewd": 0.6}))
    assert (names(both), both.rating) == (["beach"], "lewd")
    toy = replace(MODELS[4], labels=(*TAGS, Label("traditional_media", "meta")))
    drawn = replace(said(4, {}), output=ModelOutput(np.array([len(TAGS)], np.int16), np.array([0.9], np.float32)))
    known = replace(rules(), models={**MODELS, 4: toy})
    assert names(merged(drawn, by=known)) == ["traditional_media"]
    assert names(merged(drawn, said(1, {"beach": 0.9}), by=known)) == ["beach"]  # whatever it has no labels for
    silent = merged(said(4, {"safe": 0.97}), said(1, {"beach": 0.9}))
    assert silent.rating is None  # it could have said one


def test_a_tag_that_came_along_is_of_the_kind_that_a_real_tagger_knows_it_as() -> None:
    """Whatever a sample calls it, that registered later."""
    toy = replace(MODELS[4], labels=(Label("miku", "general"),))
    known = replace(rules(), models={**MODELS, 4: toy})
    assert [tag.category for tag in merged(beside=("miku",), by=known).tags] == ["character"]


def test_a_real_tagger_takes_a_samples_place_in_categories_that_it_lacks() -> None:
    """Else the sample's word of them would stay for ever on images that it saw before `models use`."""
    sample = RegisteredModel(8, "toy", "tagging", "r", True, (Label("ink", "meta"), *TAGS), {"*": 0.5}, 0.05)
    classifier = RegisteredModel(9, "rater", "tagging", "r", False, (Label("lewd", "rating"),), {"*": 0.5}, 0.05)
    known = replace(RULES, models={**MODELS, 8: sample, 9: classifier})
    drawn, rated = tell(8, 0.9), tell(9, 0.9)

    def heard(*answers: Said) -> list[str]:
        return names(merge(replace(EMPTY, said=answers), known))

    assert heard(drawn) == heard(drawn, rated) == ["ink"]
    assert heard(drawn, said(1, {"beach": 0.9})) == ["beach", "outdoors"]


def tell(number: int, score: float) -> Said:
    """A model's first label alone."""
    return Said(number, ModelOutput(np.zeros(1, np.int16), np.array([score], np.float32)), 1.0, 1)
