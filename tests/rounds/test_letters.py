"""Dead letters: kept with the reason, read again, never doubled, never lost, and bounded (R71, R72)."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from infra.events.notices import Refusal
from infra.records.letters import MOST
from schemas.errors import NotFoundError, TransientError
from schemas.pipeline import INGEST
from tasks.notifications import Replayed, Taken, replay, take_notifications
from tasks.services import Services
from tasks.sweep import LETTERS_AGE, trim_letters
from tests.events.recorded import record
from tests.records.books import Books


def said(*keys: str, **changes: object) -> str:
    """A notification of these keys in the bucket of the collection."""
    return json.dumps({"Records": [record(key=key, name="images", **changes) for key in keys]})


def bury(services: Services, body: str, reason: str = "") -> None:
    """Keep a dead letter of the queue."""
    services.letters.admit("queue", (), [Refusal(0, reason, body)])


def keys(books: Books) -> set[str]:
    return {row[0] for row in books.sql("SELECT key FROM objects")}


def test_a_bad_record_among_good_ones_is_kept_as_a_message_of_its_own(services: Services, books: Books) -> None:
    message = json.loads(said("a.png", "b.png"))
    message["Records"][1]["eventName"] = "ObjectDreamt:Of"
    assert take_notifications(services, [json.dumps(message)], "queue") == Taken(events=1, ignored=0, dead=1)
    (letter,) = services.letters.latest()
    assert "ObjectDreamt" in letter.reason
    assert json.loads(letter.body) == {"Records": [message["Records"][1]]}
    assert keys(books) == {"a.png"}


def test_messages_that_come_together_are_all_taken_whatever_is_between_them(services: Services, books: Books) -> None:
    """One that says nothing of ours, one that is no event, and two of the same object keep nothing from the others."""
    foreign, test = json.dumps({"Records": [record(name="theirs")]}), '{"Event": "s3:TestEvent"}'
    bodies = [said("b.png"), "no event", said("a.png"), foreign, test, said("b.png", "c.png")]
    assert take_notifications(services, bodies, "queue") == Taken(events=3, ignored=1, dead=1)
    assert keys(books) == {"a.png", "b.png", "c.png"}
    assert [letter.body for letter in services.letters.latest()] == ["no event"]


def test_messages_that_come_together_are_written_down_together_or_not_at_all(
    services: Services, books: Books, database: str
) -> None:
    with psycopg.connect(database) as busy:
        busy.execute("LOCK TABLE work")  # the dead letter is written, the hints are not
        with pytest.raises(TransientError):
            take_notifications(services, [said("a.png"), "no event"], "queue")
    assert services.letters.latest() == [] and keys(books) == set()


def test_what_is_understood_now_becomes_hints_and_is_gone(services: Services, books: Books) -> None:
    bury(services, said("a.png", "b.png"), "an older version did not know it")
    bury(services, "no event", "it is none")
    assert replay(services) == Replayed(understood=1, events=2, left=1)
    assert keys(books) == {"a.png", "b.png"}
    assert len(services.work.claim([INGEST], 9)) == 2
    assert [letter.body for letter in services.letters.latest()] == ["no event"]


def test_what_is_still_not_understood_stays_with_the_reason_of_today(services: Services, books: Books) -> None:
    bury(services, "no event", "the reason of yesterday")
    for _ in range(2):
        assert replay(services) == Replayed(understood=0, events=0, left=1)
    (letter,) = services.letters.latest()
    assert "not JSON" in letter.reason


def test_a_message_that_is_understood_in_part_leaves_the_rest_behind(services: Services, books: Books) -> None:
    message = json.loads(said("a.png", "b.png"))
    message["Records"][0]["eventName"] = "ObjectDreamt:Of"
    bury(services, json.dumps(message))
    assert replay(services) == Replayed(understood=1, events=1, left=0)
    (letter,) = services.letters.latest()
    assert letter.source == "queue" and "ObjectDreamt" in letter.reason and keys(books) == {"b.png"}


def test_events_that_need_no_look_or_belong_to_no_collection_leave_no_letter(services: Services, books: Books) -> None:
    bury(services, '{"Event": "s3:TestEvent"}')
    bury(services, json.dumps({"Records": [record(name="theirs")]}))
    assert replay(services) == Replayed(understood=2, events=0, left=0)
    assert services.letters.latest() == [] and keys(books) == set()


def test_only_the_letters_that_are_named_are_read(services: Services, books: Books) -> None:
    for key in ("a.png", "b.png"):
        bury(services, said(key))
    latest, first = services.letters.latest()
    assert replay(services, [first.id]).understood == 1
    assert keys(books) == {"a.png"} and services.letters.latest() == [latest]
    with pytest.raises(NotFoundError, match=f"{first.id}.*events dead"):
        replay(services, [first.id])


def test_many_who_replay_at_once_double_nothing(services: Services, books: Books) -> None:
    for number in range(40):
        bury(services, said(f"{number}.png"))
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: replay(services), range(4)))
    assert sum(each.understood for each in done) == 40 and services.letters.latest() == []
    assert books.sql("SELECT count(*), sum(checks) FROM objects") == [(40, 40)]


def test_a_database_that_fails_in_between_loses_nothing(services: Services, books: Books, database: str) -> None:
    bury(services, said("a.png"))
    with psycopg.connect(database) as busy:
        busy.execute("LOCK TABLE work")  # the hint is written in part
        with pytest.raises(TransientError):
            replay(services)
    assert len(services.letters.latest()) == 1 and keys(books) == set()
    assert replay(services).understood == 1 and keys(books) == {"a.png"}


def test_a_letter_is_forgotten_when_told_so(services: Services, books: Books) -> None:
    for _ in range(2):
        bury(services, "no event")
    latest, first = services.letters.latest()
    assert services.letters.discard([first.id, 10**9]) == 1
    assert services.letters.latest() == [latest]


def test_a_huge_message_is_kept_in_part_and_says_so(services: Services, books: Books) -> None:
    take_notifications(services, ["x" * (MOST + 1)], "queue")
    replay(services)
    (letter,) = services.letters.latest()
    assert len(letter.body) == MOST and "262,144 characters are kept" in letter.reason


def test_there_are_never_too_many_nor_too_old_ones(
    services: Services, books: Books, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tasks.sweep.LETTERS", 3)
    for number in range(5):
        bury(services, str(number))
    trim_letters(services)
    assert [letter.body for letter in services.letters.latest()] == ["4", "3", "2"]
    assert "forgot 2 dead letters" in caplog.text
    books.sql("UPDATE dead_letters SET created_at = now() - %s WHERE body = '3'", LETTERS_AGE + timedelta(hours=1))
    trim_letters(services)
    assert [letter.body for letter in services.letters.latest()] == ["4", "2"]
