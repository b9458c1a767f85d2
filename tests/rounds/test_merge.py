"""The merge task: one transaction from raw results to flags, records and the index (R15, R67, R73)."""

import threading
import time
from collections.abc import Sequence

import pytest

from schemas.document import Document
from schemas.pipeline import CAPTIONING
from schemas.record import Visibility
from schemas.rules import Action, Policy, Vocabulary
from schemas.search import SearchRequest, Viewer, WriteOutcome, parse
from tasks.merge import merge_dirty, refresh
from tasks.services import Services
from tests.records.books import TAGGING, Books

WEAPONS = Policy("violence/weapons", "tag:sword", 0.3, "medium", Action.HOLD, "weapons")


def put(books: Books, key: str, **scores: float) -> int:
    """An image, and what the tagger says of it; returns its record's id."""
    image = books.put(key)
    ((model,),) = books.sql("SELECT id FROM models WHERE stage = %s", TAGGING)
    books.say(model, image, stage=TAGGING, **scores)
    books.sql("UPDATE records SET dirty_at = now() WHERE dirty > merged")
    ((record,),) = books.sql("SELECT id FROM records WHERE image = %s", image)
    return int(record)


def test_moderation_sees_what_thresholds_drop(services: Services, books: Books) -> None:  # R67
    services.rules.set_policies([WEAPONS], "test")
    number = put(books, "a.png", sword=0.4)
    merge_dirty(services)
    record = services.records.record(number)
    assert record.tags == ()
    assert [(flag.policy, flag.score, flag.verdict) for flag in record.flags] == [("violence/weapons", 0.4, "")]
    assert record.visibility == Visibility.HELD


def test_moderation_sees_what_contradictions_and_people_drop(services: Services, books: Books) -> None:
    services.rules.set_policies([WEAPONS], "test")
    services.rules.set_vocabulary(Vocabulary(exclusive=(frozenset({"sword", "cat"}),)), "test")
    first, second = put(books, "a.png", sword=0.6, cat=0.9), put(books, "b.png", sword=0.9)
    books.records.edit(second, "mia", "sword", "general", False)
    merge_dirty(services)
    for number, kept in ((first, ["cat"]), (second, [])):
        record = services.records.record(number)
        assert [tag.name for tag in record.tags] == kept
        assert [flag.policy for flag in record.flags] == ["violence/weapons"]


def test_what_has_no_object_any_more_has_no_flags(services: Services, books: Books) -> None:
    services.rules.set_policies([WEAPONS], "test")
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    books.delete("a.png")
    merge_dirty(services)
    record = services.records.record(number)
    assert (record.flags, record.places) == ((), ())


def test_a_merged_record_is_found_and_a_deleted_one_is_not(services: Services, books: Books) -> None:
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    assert hits(services) == [number]
    books.delete("a.png")
    merge_dirty(services)
    assert hits(services) == []


def hits(services: Services) -> list[int]:
    return [hit.record for hit in services.index.hits(SearchRequest(parse("sword"), Viewer())).hits]


def three_merge(services: Services) -> None:
    """Rounds of merging at the same time."""
    threads = [threading.Thread(target=merge_dirty, args=(services,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_mergers_at_the_same_time_publish_each_change_once(services: Services, books: Books) -> None:
    numbers = [put(books, f"{number}.png", sword=0.9) for number in range(6)]
    three_merge(services)
    assert {services.records.record(number).revision for number in numbers} == {1}
    assert books.dirty() == []
    assert services.indexing.behind(9) == []


def test_refreshing_merges_certain_records_before_it_returns(services: Services, books: Books) -> None:
    one, other = put(books, "a.png", sword=0.9), put(books, "b.png", sword=0.9)
    refresh(services, [other])
    assert hits(services) == [other]
    refresh(services, [one])
    assert sorted(hits(services)) == [one, other]


def test_merging_waits_for_captions_but_not_for_ever(services: Services, books: Books) -> None:  # R61
    number = _half_known(books, "a.png")
    merge_dirty(services)
    assert hits(services) == []
    books.sql("DELETE FROM hints")
    assert "merge" not in services.work.overdue()
    books.sql("UPDATE records SET dirty_at = dirty_at - interval '3 seconds'")
    assert "merge" in services.work.overdue()
    merge_dirty(services)
    assert hits(services) == [number]


def test_an_edit_of_a_half_known_image_is_found_at_once(services: Services, books: Books) -> None:
    number = _half_known(books, "a.png")
    books.records.edit(number, "mia", "dawn", "general", True)
    merge_dirty(services)
    assert hits(services) == [number]


def test_a_decision_on_a_half_known_image_is_found_at_once(services: Services, books: Books) -> None:
    number = _half_known(books, "a.png")
    refresh(services, [number])
    assert hits(services) == [number]


def _half_known(books: Books, key: str) -> int:
    """An image that was tagged and waits for its captions."""
    plan = [row[0] for row in books.sql("SELECT id FROM models")]
    books.collection(*plan, books.model("writer", CAPTIONING))
    image = books.put(key)
    books.say(plan[0], image, stage=TAGGING, sword=0.9)
    return books.records.find(key)


def test_a_decision_is_found_at_once_however_much_waits_for_the_index(
    services: Services, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:  # R67
    monkeypatch.setattr("tasks.index.ROUND", 1)
    put(books, "first.png", sword=0.9)
    books.merge()
    number = put(books, "a.png", sword=0.9)
    refresh(services, [number])
    assert hits(services) == [number]


def test_rounds_at_the_same_time_give_the_index_each_document_once(services: Services, books: Books) -> None:  # R61
    written: list[int] = []
    real = services.index

    class Slow:
        def write(self, documents: Sequence[Document], *, at_once: bool = True) -> list[WriteOutcome]:
            written.extend(document.record for document in documents)
            time.sleep(0.2)
            return real.write(documents, at_once=at_once)

    services.__dict__["index"] = Slow()
    numbers = [put(books, f"{number}.png", sword=0.9) for number in range(6)]
    three_merge(services)
    assert sorted(written) == sorted(numbers)
