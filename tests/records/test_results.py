"""Raw results, and what new thresholds and removed models do to records (R14, R15, R43)."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.pipeline import DETECTION
from schemas.results import ModelOutput, StageResult
from tests.records.books import STAGES, TAGGING, Books


@pytest.fixture
def tagger(books: Books) -> int:
    model = books.model("tagger")
    books.collection(model)
    return model


def test_a_result_ends_its_work_and_marks_its_record(books: Books, tagger: int) -> None:
    image, other = books.put("a.png"), books.put("b.png")
    books.merge()
    books.say(tagger, image, sword=0.9)
    assert [claim.subject for claim in books.work().claim(STAGES, 9)] == [other]
    assert books.dirty() == [image]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1, width=32)), max_size=6),
    st.booleans(),
    st.floats(-9, 30_000, width=32),
)
def test_arrays_come_back_as_they_were_to_five_digits(
    books: Books, said: list[tuple[int, float]], boxes: bool, corner: float
) -> None:
    model = books.model("any")
    image = books.put("a.png")
    labels, scores = np.array([a for a, _ in said], np.int16), np.array([b for _, b in said], np.float32)
    places = np.full((len(said), 4), corner, np.float32) if boxes else None
    books.results.store([StageResult(image, model, TAGGING, ModelOutput(labels, scores, places), 1.5, 4)])
    (stored,) = books.results.of_image(image)
    assert stored.output.labels.tolist() == labels.tolist()
    assert np.abs(stored.output.scores - scores).max(initial=0) <= 6e-6
    if places is None or stored.output.boxes is None:
        assert (places, stored.output.boxes) == (None, None)
    else:
        assert np.abs(stored.output.boxes - places).max(initial=0) <= 0.01


def test_a_result_is_spelled_out_with_its_labels_and_model(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.say(tagger, image, miku=0.5, sword=0.25)
    (stored,) = books.results.of_image(image)
    assert (stored.model, stored.revision, stored.stage) == ("tagger", "r1", TAGGING)
    assert stored.labels == ("miku", "sword")
    assert stored.millis == 1.5


def test_repeated_work_replaces_the_result_and_is_counted(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.say(tagger, image, sword=0.9)
    books.say(tagger, image, cat=0.8)
    assert books.sql("SELECT computed FROM results") == [(2,)]
    assert [result.labels for result in books.results.of_image(image)] == [("cat",)]


def test_removing_a_model_takes_back_what_it_said_and_asks_it_no_more(books: Books) -> None:
    bad, good = books.model("bad"), books.model("good", DETECTION)
    books.collection(bad, good)
    image, waiting = books.put("a.png"), books.put("b.png")
    books.say(bad, image, sword=0.9)
    books.say(good, image, waiting, stage=DETECTION, cat=0.9)
    assert {record.status for record in books.merge()} == {"complete", "partial"}
    assert books.results.remove_model("bad") == 1
    assert books.dirty() == [image, waiting]
    assert [(record.status, record.tags) for record in books.merge()] == [("complete", ())] * 2
    assert books.work().claim(STAGES, 9) == []
    new = books.put("c.png")
    assert [(claim.subject, claim.model) for claim in books.work().claim(STAGES, 9)] == [(new, good)]


def test_removing_a_model_leaves_other_models_alone(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.say(tagger, image, sword=0.9)
    books.merge()
    assert books.results.remove_model("nobody") == 0
    assert books.dirty() == []


@pytest.mark.parametrize(
    ("thresholds", "touched"),
    [
        ({"general": 0.7}, ["a.png", "b.png"]),  # up from .5: .5 and .6 stop to hold, .7 holds either way
        ({"general": 0.6}, ["a.png"]),
        ({"general": 0.4}, ["z.png"]),  # down to .4: .4 begins to hold
        ({"general": 0.5}, []),
        ({"general:cat": 0.9}, []),
        ({"general:sword": 0.55}, ["a.png"]),
        ({"tagger/general": 0.55}, ["a.png"]),
        ({"another/general": 0.9}, []),
        ({"character": 0.9}, []),
    ],
)
def test_new_thresholds_touch_only_what_was_scored_between_old_and_new(
    books: Books, tagger: int, thresholds: dict[str, float], touched: list[str]
) -> None:  # R14
    images = {key: books.put(key) for key in ("z.png", "a.png", "b.png", "c.png")}
    for score, image in zip((0.4, 0.5, 0.6, 0.7), images.values(), strict=True):
        books.say(tagger, image, sword=score)
    before = {record.id: record.tags for record in books.merge()}
    books.rules.set_thresholds(thresholds, "test")
    assert books.dirty() == sorted(images[key] for key in touched)
    assert all(record.tags != before[record.id] for record in books.merge())


def test_a_merge_that_knows_older_rules_does_not_publish_by_them(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.say(tagger, image, sword=0.6)
    assert books.merged("a.png").tags
    elsewhere = Books(books.pool)
    elsewhere.rules.set_thresholds({"general": 0.9}, "test")
    # This process read its rules less than two seconds ago.
    assert [record.tags for record in books.merge()] == [()]


def test_dropped_tags_are_computed_with_their_reason_and_not_stored(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.say(tagger, image, sword=0.9, cat=0.4, miku=0.7)
    record = books.merged("a.png")
    assert [(tag.name, tag.reason, tag.detail) for tag in record.dropped] == [
        ("miku", "below-threshold", "0.70 is below the threshold 0.75"),
        ("cat", "below-threshold", "0.40 is below the threshold 0.50"),
    ]
    ((stored,),) = books.sql("SELECT document->'dropped' FROM records")
    assert stored == []


def test_what_says_nothing_new_makes_no_new_revision_and_is_not_indexed_again(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.say(tagger, image, sword=0.9)
    books.settled("a.png")
    first = books.merged("a.png")
    books.records.edit(first.id, "mia", "never_said", "general", False)
    assert books.dirty() == [image]
    assert books.merge() == []
    assert books.dirty() == []
    assert books.merged("a.png") == first
    assert books.indexing.behind(9) == []


def test_what_changes_is_behind_until_the_index_has_that_revision(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.merge()
    first = books.indexing.behind(9)
    books.say(tagger, image, sword=0.9)
    (published,) = books.merge()
    books.indexing.indexed(first)
    second = books.indexing.behind(9)
    assert [each.record.revision for each in second] == [published.revision]
    books.indexing.indexed(second)
    books.indexing.indexed(first)  # a late answer
    assert books.indexing.behind(9) == []


@pytest.mark.parametrize("once_more", ["adopt", "again"])
def test_who_is_to_be_given_a_record_once_more_outlives_a_late_answer(books: Books, once_more: str) -> None:  # R64
    books.put("a.png")
    (record,) = books.merge()
    before = books.indexing.behind(9)
    for _ in range(2):  # what is indexed already, and what waits
        if once_more == "adopt":
            assert books.indexing.adopt(anew=True) == 1
        else:
            books.indexing.again([record.id])
        assert books.indexing.indexed(before) == []  # it was not erased
        (waits,) = after = books.indexing.behind(9)
        assert (waits.record, books.indexing.lag()[0]) == (record, 1)
        books.indexing.indexed(after)
        books.indexing.indexed(before)
        assert books.indexing.behind(9) == []
        before = after


def test_the_latest_word_of_a_person_outlives_every_merge(books: Books, tagger: int) -> None:
    image = books.put("a.png")
    books.say(tagger, image, sword=0.9)
    number = books.merged("a.png").id
    books.records.edit(number, "mia", "sword", "general", False)
    books.say(tagger, image, sword=0.99)  # R73
    assert books.merged("a.png").tags == ()
    books.records.edit(number, "ben", "sword", "general", True)
    (tag,) = books.merged("a.png").tags
    assert (tag.source, tag.by) == ("human", "ben")
    books.records.withdraw(number, "sword")
    (tag,) = books.merged("a.png").tags
    assert (tag.source, tag.by) == ("tagger", "")
