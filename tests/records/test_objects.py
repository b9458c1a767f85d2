"""The object ledger: hints, what objects hold, and what became of them (R1, R43, R79)."""

from datetime import UTC, datetime

import pytest

from schemas.events import EventKind, ObjectEvent
from schemas.images import ObjectHead, Sidecar
from schemas.pipeline import INGEST
from schemas.retry import next_pause
from tests.records.books import STAGES, TAGGING, Books, digest, events, failure, subjects


@pytest.fixture
def tagger(books: Books) -> int:
    """A model that every image is shown to."""
    model = books.model("tagger")
    books.collection(model)
    return model


def test_hints_in_one_message_and_in_two_make_one_piece_of_work(books: Books) -> None:
    assert books.objects.note([*events("a.png"), *events("a.png")]) == 1
    assert books.objects.note(events("a.png")) == 1
    (row,) = books.rows("a.png")
    assert row.checks == 2
    assert subjects(books.work().claim([INGEST], 9)) == [row.id]


def test_objects_of_no_collection_are_not_taken_in(books: Books) -> None:
    assert books.objects.note(events("a.png", bucket="private")) == 0
    assert books.sql("SELECT key FROM objects") == []


def test_the_longest_prefix_decides_whose_an_object_is(books: Books) -> None:
    art = books.collection(name="art", prefix="art/")
    fan = books.collection(name="fan", prefix="art/fan/")
    rows = books.note("art/a.png", "art/fan/b.png", "artist.png")
    main = {number for number, name, _ in books.rules.collections() if name == "main"}
    assert [row.collection for row in rows] == [art, fan, *main]


def test_a_prefix_under_no_collection_of_its_own_belongs_to_nobody(books: Books) -> None:
    books.collection(name="art", bucket="shared", prefix="art/")
    assert books.objects.note(events("art/a.png", "other/b.png", bucket="shared")) == 1


def test_a_hint_during_ingest_voids_the_answer_and_the_object_is_ready_again(books: Books, tagger: int) -> None:
    worker = books.work()
    (row,) = books.note("a.png")
    worker.claim([INGEST], 1)
    books.note("a.png")
    books.objects.found([books.found(row, "old bytes")])
    (after,) = books.rows("a.png")
    assert (after.state, after.image) == ("new", None)
    assert subjects(worker.claim([INGEST], 1)) == [row.id]


@pytest.mark.parametrize("answer", ["gone", "refused", "sidecar", "unchanged"])
def test_a_hint_voids_every_kind_of_answer(books: Books, tagger: int, answer: str) -> None:
    books.put("a.png.txt")
    (row,) = books.note("a.png.txt")
    books.note("a.png.txt")
    head = books.head(row.key, "x")
    if answer == "gone":
        assert not books.objects.gone(row.id, row.checks)
    elif answer == "refused":
        assert not books.objects.refused(row.id, row.checks, head, "corrupt", "no")
    elif answer == "sidecar":
        assert not books.objects.sidecar(row.id, row.checks, head, Sidecar("file", ("x",)))
    else:
        books.objects.unchanged([(row.id, row.checks)])
    (after,) = books.rows("a.png.txt")
    assert (after.state, after.checks) == ("present", row.checks + 1)
    assert row.id in subjects(books.work().claim([INGEST], 1))


def test_the_same_bytes_under_two_keys_are_one_image_that_is_analysed_once(books: Books, tagger: int) -> None:
    first = books.put("a.png", "bytes")  # R1
    books.say(tagger, first, sword=0.9)
    assert books.put("b.png", "bytes") == first
    assert books.work().claim(STAGES, 9) == []
    assert [place.key for place in books.merged("b.png").places] == ["a.png", "b.png"]
    assert (books.settled("a.png"), books.settled("b.png")) == ("complete", "known")


def test_the_same_bytes_twice_in_one_chunk_are_one_image(books: Books, tagger: int) -> None:
    rows = books.note("a.png", "b.png")
    books.objects.found([books.found(rows[0], "bytes"), books.found(rows[1], "bytes", known=True)])
    assert len(books.work().claim(STAGES, 9)) == 1
    assert len({row.image for row in books.rows("a.png", "b.png")}) == 1


def test_content_in_two_collections_is_analysed_once_and_has_two_records(books: Books, tagger: int) -> None:
    books.collection(tagger, name="art", prefix="art/")
    image = books.put("a.png", "bytes")
    assert books.put("art/a.png", "bytes") == image
    assert len(books.work().claim(STAGES, 9)) == 1
    assert {record.collection for record in books.merge()} == {"main", "art"}


def test_an_overwrite_moves_the_object_and_leaves_a_tombstone(books: Books, tagger: int) -> None:
    old = books.put("a.png", "old")
    books.put("b.png", "kept")
    books.merge()
    new = books.put("a.png", "new")
    changed = {record.image: record for record in books.merge()}
    assert changed.keys() == {old, new}
    assert (changed[old].places, changed[new].places[0].key) == ((), "a.png")
    assert dict(books.sql("SELECT image, live FROM records ORDER BY image")) == {old: False, old + 1: True, new: True}


@pytest.mark.parametrize("after", ["bytes", "other", ""])
@pytest.mark.parametrize("prefix", ["", "art/"])
def test_a_source_that_is_given_to_another_collection_takes_its_objects_along(
    books: Books, tagger: int, prefix: str, after: str
) -> None:
    """At their next hint, whether the bytes are the same, others, or gone; nothing of them stays behind (R64)."""
    old = books.put("art/a.png", "bytes")
    books.merge()
    books.collection(tagger, name="art", prefix=prefix)
    (row,) = books.note("art/a.png")
    assert not row.unchanged(books.head("art/a.png", "bytes"))
    books.merge()
    live = """SELECT c.name, r.image, r.status FROM records r JOIN collections c ON c.id = r.collection WHERE r.live"""
    assert [found[:2] for found in books.sql(live)] == [("main", old)]  # until ingest answers
    if after:
        new = books.put("art/a.png", after)
        books.say(tagger, new, sword=0.9)
    else:
        books.delete("art/a.png")
    books.merge()
    assert books.sql(live) == ([("art", new, "complete")] if after else [])
    (row,) = books.rows("art/a.png")
    assert row.unchanged(books.head("art/a.png", after)) == bool(after)


def test_a_deleted_object_leaves_a_tombstone_and_comes_back_with_its_results(books: Books, tagger: int) -> None:
    image = books.put("a.png", "bytes")
    books.say(tagger, image, sword=0.9)
    books.delete("a.png")
    (dead,) = books.merge()
    assert dead.places == ()
    assert books.objects.images([image]) == []
    assert books.put("a.png", "bytes") == image
    (back,) = books.merge()
    assert [tag.name for tag in back.tags] == ["sword"]
    assert back.revision > dead.revision


def test_one_of_two_copies_may_be_deleted(books: Books, tagger: int) -> None:
    image = books.put("a.png", "bytes")
    books.put("b.png", "bytes")
    books.delete("a.png")
    assert [place.key for place in books.merged("b.png").places] == ["b.png"]
    assert [row.key for row in books.objects.images([image])] == ["b.png"]


def test_an_image_that_is_deleted_while_it_is_analysed_fails_in_the_end_and_waits_no_more(
    books: Books, tagger: int
) -> None:
    image, worker = books.put("a.png", "bytes"), books.work()
    books.delete("a.png")
    for _ in range(9):
        books.due()
        worker.fail([failure(claim, "gone") for claim in worker.claim(STAGES, 9)])
    assert books.states(TAGGING)[image][0] == "failed"
    assert books.put("a.png", "bytes") == image
    assert [(claim.subject, claim.attempts) for claim in worker.claim(STAGES, 9)] == [(image, 1)]


def test_an_image_that_comes_back_while_its_last_attempt_finds_nothing_is_tried_again(
    books: Books, tagger: int
) -> None:
    image, worker = books.put("a.png", "bytes"), books.work()
    books.delete("a.png")
    claims = worker.claim(STAGES, 9)
    for _ in range(9):
        if next_pause("gone", claims[0].attempts) is None:
            break
        worker.fail([failure(claim, "gone") for claim in claims])
        books.due()
        claims = worker.claim(STAGES, 9)
    assert books.put("b.png", "bytes") == image
    worker.fail([failure(claim, "gone") for claim in claims])
    assert [(claim.subject, claim.attempts) for claim in worker.claim(STAGES, 9)] == [(image, 1)]


def test_what_fails_for_good_does_so_whatever_copy_came_meanwhile(books: Books, tagger: int) -> None:
    image, worker = books.put("a.png", "bytes"), books.work()
    claims = worker.claim(STAGES, 9)
    books.put("b.png", "bytes")
    worker.fail([failure(claim, "bad-output", permanent=True) for claim in claims])
    assert books.states(TAGGING)[image] == ("failed", "it was bad-output")


def test_a_result_that_arrives_after_the_deletion_keeps_the_tombstone(books: Books, tagger: int) -> None:
    image = books.put("a.png", "bytes")
    books.delete("a.png")
    books.say(tagger, image, sword=0.9)
    assert [record.places for record in books.merge()] == [()]


def test_what_failed_for_good_is_not_planned_again_by_another_copy(books: Books, tagger: int) -> None:
    image, worker = books.put("a.png", "bytes"), books.work()
    worker.fail([failure(claim, "bad-output", permanent=True) for claim in worker.claim(STAGES, 9)])
    books.put("b.png", "bytes")
    assert books.states(TAGGING)[image] == ("failed", "it was bad-output")


def test_a_refused_object_keeps_its_reason_and_says_what_it_held_no_more(books: Books, tagger: int) -> None:
    books.put("a.png", "bytes")
    (row,) = books.note("a.png")
    assert books.objects.refused(row.id, row.checks, books.head("a.png", "x"), "corrupt", "it ends early\0")
    assert [record.places for record in books.merge()] == [()]
    outcome = books.outcome("a.png")
    assert (outcome.outcome, outcome.reason) == ("refused", "corrupt: it ends early")
    assert books.work().claim([INGEST], 9) == []


def test_a_settled_object_is_unchanged_as_long_as_etag_and_time_are(books: Books) -> None:
    books.put("a.png", "bytes")
    (row,) = books.rows("a.png")
    assert row.unchanged(books.head("a.png", "bytes"))
    assert not row.unchanged(books.head("a.png", "other"))
    later = ObjectHead("images", "a.png", "", row.etag, 5, datetime(2026, 1, 2, tzinfo=UTC))
    assert not row.unchanged(later)


@pytest.mark.parametrize("beside", ["a.png.txt", "a.txt"])
@pytest.mark.parametrize("first", ["image", "sidecar"])
def test_a_sidecar_joins_its_image_whichever_comes_first(books: Books, first: str, beside: str) -> None:
    if first == "image":
        books.put("a.png")
        books.merge()
    books.put_sidecar(beside, "cat", "mine")  # R79
    if first == "sidecar":
        books.put("a.png")
    assert [(tag.name, tag.source) for tag in books.merged("a.png").tags] == [("cat", "sidecar"), ("mine", "sidecar")]


def test_a_sidecar_belongs_to_no_other_image(books: Books) -> None:
    books.put("a.png")
    books.put("folder/a.png")
    books.put_sidecar("a.txt", "mine")
    assert books.merged("folder/a.png").tags == ()


def test_a_sidecar_that_goes_takes_its_tags_along(books: Books) -> None:
    books.put("a.png")
    books.put_sidecar("a.png.txt", "mine")
    assert books.merged("a.png").tags
    books.delete("a.png.txt")
    assert books.merged("a.png").tags == ()


def test_a_sidecar_that_changes_replaces_its_tags(books: Books) -> None:
    books.put("a.png")
    books.put_sidecar("a.txt", "old")
    books.merge()
    books.put_sidecar("a.txt", "new")
    assert [tag.name for tag in books.merged("a.png").tags] == ["new"]


def test_tags_in_an_objects_metadata_hold_until_the_object_comes_without_them(books: Books) -> None:
    books.put("a.png", "bytes", sidecar=Sidecar("metadata", ("mine",)))
    assert [tag.name for tag in books.merged("a.png").tags] == ["mine"]
    books.put("a.png", "bytes")
    assert books.merged("a.png").tags == ()


def test_outcomes_are_pending_until_everything_is_searchable(books: Books, tagger: int) -> None:
    books.note("a.png")
    assert books.outcome("a.png").outcome == "pending"
    image = books.put("a.png")
    assert books.settled("a.png") == "pending"
    books.say(tagger, image, sword=0.9)
    assert books.outcome("a.png").outcome == "pending"  # not merged
    books.merge()
    assert books.outcome("a.png").outcome == "pending"  # not indexed
    assert books.settled("a.png") == "complete"


def test_an_outcome_is_partial_when_a_model_failed_and_says_why(books: Books) -> None:
    good, bad = books.model("good"), books.model("bad", "detection")
    books.collection(good, bad)
    image, worker = books.put("a.png"), books.work()
    claims = worker.claim(["detection"], 9)
    worker.fail([failure(claim, "bad-output", permanent=True) for claim in claims])
    assert books.settled("a.png") == "pending"  # the other model may still speak
    books.say(good, image, sword=0.9)
    assert books.settled("a.png") == "partial"
    assert books.outcome("a.png").reason == "detection: it was bad-output"


def test_an_outcome_is_failed_when_ingest_gave_up(books: Books) -> None:
    worker = books.work()
    books.note("a.png")
    worker.fail([failure(claim, "decoder-died", permanent=True) for claim in worker.claim([INGEST], 9)])
    outcome = books.outcome("a.png")
    assert (outcome.outcome, outcome.reason) == ("failed", "it was decoder-died")


def test_outcomes_of_objects_that_nobody_noted_are_left_out(books: Books) -> None:
    assert books.objects.outcomes([("images", "never.png")]) == []


def test_reconciling_compares_only_what_ingest_settled(books: Books) -> None:
    books.put("a.png", "bytes")
    books.note("b.png")  # new, or failed and quarantined: its bytes are known to nobody
    books.put("c.png")
    books.delete("c.png")
    assert books.objects.page("images", "", "", 10) == [("a.png", digest("bytes")[:32]), ("b.png", "")]


def test_a_removal_event_is_a_hint_as_any_other(books: Books) -> None:
    books.put("a.png")
    books.objects.note([ObjectEvent(EventKind.REMOVED, "images", "a.png")])
    (row,) = books.rows("a.png")
    assert (row.state, len(books.work().claim([INGEST], 9))) == ("present", 1)
