"""Which tags hold: thresholds, aliases, implications, contradictions, whose word counts (R14, R15, R17, R73, R79)."""

from dataclasses import replace

import pytest

from schemas.merging import Edit
from tests.merging.known import add, merged, names, reasons, remove, rules, said, sources

WEAPONS = {"sword": ("weapon",), "weapon": ("tool",)}
PLACES = (frozenset({"indoors", "outdoors"}),)
COUNTS = (frozenset({"solo", "2girls"}),)


@pytest.mark.parametrize(
    ("thresholds", "tag", "score", "holds"),
    [
        ({}, "sword", 0.5, True),  # the manifest's default
        ({}, "sword", 0.49, False),
        ({}, "miku", 0.74, False),  # the manifest's by category
        ({}, "miku", 0.75, True),
        ({"general": 0.8}, "sword", 0.7, False),  # R14: by category
        ({"general": 0.8}, "miku", 0.76, True),
        ({"general:sword": 0.2}, "sword", 0.3, True),  # by tag, which is more particular
        ({"general": 0.8, "general:sword": 0.2}, "sword", 0.3, True),
        ({"general:sword": 0.9, "alpha/general": 0.3}, "sword", 0.4, True),  # by model, which is more so
        ({"alpha/general": 0.3, "alpha/general:sword": 0.9}, "sword", 0.8, False),
        ({"beta/general": 0.1}, "sword", 0.4, False),  # another model
        ({"general": 0.35}, "sword", 0.35, True),  # float32 knows no .35
        ({"general": 0.7}, "sword", 0.7, True),
    ],
)
def test_the_most_particular_threshold_decides(
    thresholds: dict[str, float], tag: str, score: float, holds: bool
) -> None:
    assert names(merged(said(1, {tag: score}), by=rules(thresholds))) == [tag] * holds


@pytest.mark.parametrize(
    ("first", "second", "source"),
    [(0.7, 0.9, "beta"), (0.9, 0.7, "alpha"), (0.9, 0.9, "alpha"), (0.90003, 0.90004, "alpha")],
)
def test_the_surest_model_of_a_tag_is_named_and_of_equals_the_first_by_name(
    first: float, second: float, source: str
) -> None:
    answers = (said(1, {"sword": first}), said(2, {"sword": second}))
    for record in (merged(*answers), merged(*reversed(answers))):
        assert [(tag.source, tag.confidence) for tag in record.tags] == [(source, 0.9)]


def test_an_alias_becomes_what_it_stands_for_before_anything_else() -> None:  # R17
    by = rules(aliases={"female": "sword"}, implications=WEAPONS)
    assert names(merged(said(1, {"female": 0.9}), by=by)) == ["sword", "tool", "weapon"]
    (tag,) = merged(said(1, {"female": 0.9, "sword": 0.6}), by=rules(aliases={"female": "sword"})).tags
    assert (tag.name, tag.confidence) == ("sword", 0.9)


def test_an_alias_holds_for_sidecars_and_for_what_people_say() -> None:
    by = rules(aliases={"blade": "sword"})
    assert sources(merged(by=by, beside=("blade",))) == {"sword": "sidecar"}
    assert sources(merged(by=by, edits=(add("blade"),))) == {"sword": "human"}
    assert reasons(merged(said(1, {"sword": 0.9}), by=by, edits=(remove("blade"),))) == {"sword": "removed-by-person"}


def test_of_two_words_on_what_became_one_tag_the_later_counts() -> None:
    by = rules(aliases={"blade": "sword"})
    assert names(merged(by=by, edits=(add("blade"), remove("sword")))) == []
    assert names(merged(by=by, edits=(remove("sword"), add("blade")))) == ["sword"]


def test_implications_are_followed_to_their_end_with_the_causes_confidence() -> None:  # R17
    record = merged(said(1, {"sword": 0.8}), by=rules(implications=WEAPONS))
    assert sources(record) == {"sword": "alpha", "weapon": "implied by sword", "tool": "implied by weapon"}
    assert {tag.confidence for tag in record.tags} == {0.8}


def test_an_implied_tag_names_its_surest_cause() -> None:
    by = rules(implications={"sword": ("weapon",), "beach": ("weapon",)})
    record = merged(said(1, {"sword": 0.6, "beach": 0.9}), by=by)
    assert sources(record)["weapon"] == "implied by beach"


def test_an_implied_tag_has_the_category_that_models_know_it_by() -> None:
    record = merged(said(1, {"miku": 0.9}), by=rules(implications={"miku": ("vocaloid",)}))
    assert {tag.name: tag.category for tag in record.tags} == {"miku": "character", "vocaloid": "copyright"}


def test_a_tag_that_was_said_is_not_called_implied() -> None:
    record = merged(said(1, {"sword": 0.9, "weapon": 0.6}), by=rules(implications=WEAPONS))
    assert sources(record)["weapon"] == "alpha"


def test_a_removed_implied_tag_stays_removed() -> None:
    record = merged(said(1, {"sword": 0.9}), by=rules(implications=WEAPONS), edits=(remove("weapon"),))
    assert names(record) == ["sword"]


def test_what_cannot_be_together_is_dropped_with_the_reason() -> None:  # R15
    record = merged(said(1, {"solo": 0.6, "2girls": 0.8, "sword": 0.9}), by=rules(exclusive=COUNTS))
    assert names(record) == ["2girls", "sword"]
    (dropped,) = record.dropped
    assert (dropped.name, dropped.reason, dropped.source) == ("solo", "contradiction", "alpha")
    assert dropped.detail == "an image that is 2girls cannot be solo"


def test_what_implies_something_impossible_is_dropped_too() -> None:
    by = rules(implications={"beach": ("outdoors",)}, exclusive=PLACES)
    record = merged(said(1, {"beach": 0.6, "indoors": 0.9}), by=by)
    assert (names(record), reasons(record)) == (["indoors"], {"beach": "contradiction"})


def test_what_was_dropped_does_not_come_back_as_implied() -> None:
    by = rules(implications={"beach": ("outdoors",)}, exclusive=PLACES)
    record = merged(said(1, {"beach": 0.6, "outdoors": 0.7, "indoors": 0.9}), by=by)
    assert names(record) == ["indoors"]
    assert set(reasons(record)) == {"beach", "outdoors"}


def test_an_implied_tag_is_as_strong_as_its_cause() -> None:
    by = rules(implications={"beach": ("outdoors",)}, exclusive=PLACES)
    record = merged(said(1, {"beach": 0.95, "outdoors": 0.6, "indoors": 0.9}), by=by)
    assert (names(record), reasons(record)) == (["beach", "outdoors"], {"indoors": "contradiction"})


def test_what_a_person_said_is_never_dropped_for_a_contradiction() -> None:
    both = merged(edits=(add("solo"), add("2girls")), by=rules(exclusive=COUNTS))
    assert names(both) == ["2girls", "solo"]
    by = rules(implications={"beach": ("outdoors",)}, exclusive=PLACES)
    record = merged(said(1, {"indoors": 0.9}), by=by, edits=(add("beach"),))
    assert names(record) == ["beach", "outdoors"]


@pytest.mark.parametrize(
    ("beside", "edits", "source", "reason"),
    [
        ((), (), "alpha", None),
        (("sword",), (), "sidecar", None),
        (("sword",), (add("sword"),), "human", None),
        (("sword",), (remove("sword"),), None, "removed-by-person"),
        ((), (remove("sword"),), None, "removed-by-person"),
        ((), (add("sword"),), "human", None),
    ],
)
def test_a_person_outranks_a_sidecar_and_a_sidecar_a_model(
    beside: tuple[str, ...], edits: tuple[Edit, ...], source: str | None, reason: str | None
) -> None:  # R73, R79
    record = merged(said(1, {"sword": 0.9}), beside=beside, edits=edits)
    assert sources(record).get("sword") == source
    assert reasons(record).get("sword") == reason
    assert [tag.confidence for tag in record.tags] + [tag.confidence for tag in record.dropped] == [0.9]


def test_a_sidecars_tag_outranks_a_surer_models_in_a_contradiction() -> None:
    record = merged(said(1, {"solo": 0.99}), beside=("2girls",), by=rules(exclusive=COUNTS))
    assert (names(record), reasons(record)) == (["2girls"], {"solo": "contradiction"})


def test_a_sidecars_tag_has_the_category_of_taggers_and_never_that_of_ratings_or_boxes() -> None:
    record = merged(beside=("miku", "person", "safe", "unheard_of"))
    assert {tag.name: tag.category for tag in record.tags} == {
        "miku": "character",
        "person": "general",
        "safe": "general",
        "unheard_of": "general",
    }


def test_a_word_that_was_taken_back_says_nothing() -> None:
    assert merged(said(1, {"sword": 0.9}), edits=(add("sword"),)) != merged(said(1, {"sword": 0.9}))
    clear = replace(add("sword"), action="clear")
    assert merged(said(1, {"sword": 0.9}), edits=(clear,)) == merged(said(1, {"sword": 0.9}))
