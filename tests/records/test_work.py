"""The work ledger: who gets which work, what becomes of failures, deaths and hints (R72)."""

import threading
from datetime import timedelta

import pytest

from infra.records.work import HINTS_UNDER_WAY
from schemas.ledger import Claim
from schemas.pipeline import INGEST
from schemas.retry import DEATHS_ALONE
from tests.records.books import STAGES, TAGGING, Books, failure, subjects

LONG = timedelta(minutes=10)


@pytest.fixture
def tagged(books: Books) -> Books:
    """Three images that wait for one tagger."""
    books.collection(books.model("tagger"))
    for key in ("a.png", "b.png", "c.png"):
        books.put(key)
    return books


def died(books: Books, name: str, claims: list[Claim]) -> int:
    """The worker of that name is unheard of for an hour; returns how many claims the sweep freed."""
    assert claims
    books.sql("UPDATE workers SET seen_at = now() - interval '1 hour' WHERE name = %s", name)
    return books.work("sweeper:1").sweep(LONG)


def test_live_work_is_claimed_before_older_backfill(books: Books) -> None:
    old, *_ = books.note("old.png", priority=1)
    new, *_ = books.note("new.png")
    assert subjects(books.work().claim([INGEST], 1)) == [new.id]
    assert subjects(books.work().claim([INGEST], 5)) == [old.id]


def test_backfill_that_somebody_uploads_meanwhile_becomes_live(books: Books) -> None:
    books.collection(books.model("tagger"))
    image = books.put("old.png", "content", priority=1)
    books.put("other.png", priority=1)
    assert books.put("live.png", "content") == image
    assert subjects(books.work().claim([TAGGING], 1)) == [image]


def test_claimers_in_many_threads_never_get_the_same_work(books: Books) -> None:
    books.note(*(f"{number}.png" for number in range(200)))
    taken: list[int] = []

    def claim(name: str) -> None:
        worker = books.work(name)
        while claims := worker.claim([INGEST], 7):
            taken.extend(subjects(claims))

    threads = [threading.Thread(target=claim, args=(f"host:{number}:1",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 200 == len(set(taken))


def test_a_repeated_hint_claims_nothing(tagged: Books) -> None:
    assert len(tagged.work().claim(STAGES, 32)) == 3
    assert tagged.work("host:vision:2").claim(STAGES, 32) == []


def test_a_transient_failure_is_ready_again_after_its_pause_and_not_before(tagged: Books) -> None:
    worker = tagged.work()
    worker.fail([failure(claim) for claim in worker.claim(STAGES, 32)])
    assert worker.claim(STAGES, 32) == []
    assert {(each.state, each.count) for each in worker.counts()} == {("waiting", 3)}
    tagged.due()
    assert [claim.attempts for claim in worker.claim(STAGES, 32)] == [2, 2, 2]


@pytest.mark.parametrize("code", ["forward-failed", "too-slow", "decoder-died"])
def test_what_an_image_does_to_a_model_or_decoder_is_tried_a_few_times_only(tagged: Books, code: str) -> None:
    worker = tagged.work()
    for _ in range(4):
        tagged.due()
        worker.fail([failure(claim, code) for claim in worker.claim(STAGES, 1)])
        tagged.sql("UPDATE work SET priority = 1 WHERE attempts = 0")  # the same image again
    assert ("failed", f"it was {code}") in tagged.states(TAGGING).values()


@pytest.mark.parametrize("code", ["database", "store-away", "memory"])
def test_what_the_surroundings_lack_for_a_while_never_makes_work_fail_for_good(tagged: Books, code: str) -> None:
    worker = tagged.work()
    tagged.sql("UPDATE work SET attempts = 32767")
    worker.fail([failure(claim, code) for claim in worker.claim(STAGES, 32)])
    assert {state for state, _ in tagged.states(TAGGING).values()} == {"pending"}


def test_a_permanent_failure_stays_with_its_reason_and_dirties_the_record(tagged: Books) -> None:
    worker = tagged.work()
    tagged.merge()
    first, *rest = worker.claim(STAGES, 32)
    worker.fail([failure(first, "bad-output", permanent=True)])
    worker.give_back(rest)
    tagged.due()
    assert first.subject not in subjects(worker.claim(STAGES, 32))
    assert tagged.states(TAGGING)[first.subject] == ("failed", "it was bad-output")
    assert tagged.dirty() == [first.subject]


def test_retry_makes_failed_work_ready_with_all_its_attempts_and_dirties_the_record(tagged: Books) -> None:
    worker = tagged.work()
    worker.fail([failure(claim, permanent=True) for claim in worker.claim(STAGES, 32)])
    tagged.merge()
    (first, *_) = tagged.states(TAGGING)
    assert worker.retry(STAGES, [first]) == 1
    assert [(claim.subject, claim.attempts) for claim in worker.claim(STAGES, 32)] == [(first, 1)]
    assert tagged.dirty() == [first]


def test_work_that_was_given_back_is_ready_and_the_attempt_does_not_count(tagged: Books) -> None:
    worker = tagged.work()
    worker.give_back(worker.claim(STAGES, 32))
    assert [claim.attempts for claim in worker.claim(STAGES, 32)] == [1, 1, 1]


def test_a_worker_that_leaves_returns_all_that_it_claims_and_claims_no_more(tagged: Books) -> None:
    leaving, other = tagged.work(), tagged.work("host:vision:2")
    (kept,) = other.claim(STAGES, 1)
    assert len(leaving.claim(STAGES, 32)) == 2
    assert leaving.leave() == 2
    assert leaving.claim(STAGES, 32) == leaving.claim_suspect(STAGES) == []
    again = other.claim(STAGES, 32)
    assert [(claim.attempts, claim.deaths) for claim in again] == [(1, 0), (1, 0)]
    assert kept.subject not in subjects(again)


def test_what_a_worker_that_left_still_writes_does_no_harm_to_who_claimed_it_again(tagged: Books) -> None:
    leaving, other = tagged.work(), tagged.work("host:vision:2")
    first, second, _ = leaving.claim(STAGES, 32)
    leaving.leave()
    assert len(other.claim(STAGES, 32)) == 3
    leaving.fail([failure(first, "bad-output", permanent=True)])
    leaving.abandon([first])
    tagged.say(second.model, second.subject, sword=0.9)  # it is the truth, whoever computed it
    assert {(each.state, each.count) for each in other.counts()} == {("claimed", 2)}
    tagged.say(second.model, second.subject, sword=0.9)
    assert len(tagged.results.of_image(second.subject)) == 1


def test_no_claim_that_was_under_way_outlives_the_leave_of_its_worker(books: Books) -> None:
    books.note(*(f"{number}.png" for number in range(100)))
    worker, began = books.work(), threading.Barrier(5)

    def claim() -> None:
        began.wait()
        while worker.claim([INGEST], 1):
            pass

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    began.wait()
    worker.leave()
    for thread in threads:
        thread.join()
    assert {(each.state, each.count) for each in worker.counts()} == {("ready", 100)}


def test_work_that_was_abandoned_waits_and_the_attempt_counts(tagged: Books) -> None:
    worker = tagged.work()
    worker.abandon(worker.claim(STAGES, 32))
    assert worker.claim(STAGES, 32) == []
    tagged.due()
    assert [claim.attempts for claim in worker.claim(STAGES, 32)] == [2, 2, 2]


def test_only_the_worker_that_claimed_can_end_a_claim(tagged: Books) -> None:
    worker, other = tagged.work(), tagged.work("host:vision:2")
    claims = worker.claim(STAGES, 32)
    other.give_back(claims)
    other.fail([failure(claim, permanent=True) for claim in claims])
    assert {(each.state, each.count) for each in worker.counts()} == {("claimed", 3)}


def test_the_claims_of_a_worker_that_is_heard_of_stay(tagged: Books) -> None:
    worker = tagged.work()
    worker.claim(STAGES, 32)
    assert tagged.work("sweeper:1").sweep(LONG) == 0


def test_silence_that_is_not_judged_frees_and_forgets_nobody_but_a_successor_does(tagged: Books) -> None:
    tagged.work().claim(STAGES, 2)
    tagged.sql("UPDATE workers SET seen_at = now() - interval '2 days'")
    sweeper = tagged.work("sweeper:1")
    assert sweeper.sweep(LONG, lambda now: False) == 0
    assert tagged.sql("SELECT count(*) FROM workers") == [(2,)]
    tagged.work("host:vision:2")
    assert sweeper.sweep(LONG, lambda now: False) == 2


def test_a_worker_that_was_heard_of_in_the_future_is_dead(tagged: Books) -> None:
    """Somebody put the database's clock back."""
    tagged.work().claim(STAGES, 2)
    tagged.sql("UPDATE workers SET seen_at = now() + interval '1 hour'")
    assert tagged.work("sweeper:1").sweep(LONG) == 2


def test_the_work_of_a_silent_worker_is_done_alone_from_now_on(tagged: Books) -> None:
    assert died(tagged, "host:vision:1", tagged.work().claim(STAGES, 2)) == 2
    worker = tagged.work("host:vision:2")
    assert worker.suspects(STAGES)
    innocent = worker.claim(STAGES, 32)
    first, second, none = (worker.claim_suspect(STAGES) for _ in range(3))
    assert len(innocent) == 1
    assert (len(first), len(second), none) == (1, 1, [])
    assert {each.deaths for each in (*first, *second)} == {1}
    assert {*subjects(first), *subjects(second)}.isdisjoint(subjects(innocent))


def test_a_model_that_kills_its_process_is_quarantined_and_another_model_of_the_image_is_not(books: Books) -> None:
    killer, innocent = books.model("killer"), books.model("innocent", "detection")
    books.collection(killer, innocent)
    image = books.put("a.png")
    died(books, "host:vision:0", books.work("host:vision:0").claim(STAGES, 32))
    for number in range(1, 99):
        name = f"host:vision:{number}"
        worker = books.work(name)
        claims = worker.claim_suspect(STAGES)
        if not claims:
            break
        (claim,) = claims
        if claim.model == killer:
            died(books, name, claims)
        else:
            books.say(innocent, image, stage="detection", sword=0.9)
    assert number <= DEATHS_ALONE + 2
    (state, reason) = books.states(TAGGING)[image]
    assert state == "quarantined"
    assert f"died {DEATHS_ALONE} times" in reason
    assert [each.model for each in books.results.of_image(image)] == ["innocent"]
    assert books.merged("a.png").status == "partial"  # R42


def test_quarantined_work_that_is_retried_is_still_done_alone(tagged: Books) -> None:
    tagged.sql("UPDATE work SET state = 'quarantined', deaths = %s", DEATHS_ALONE + 1)
    worker = tagged.work()
    assert worker.retry(STAGES, list(tagged.states(TAGGING))) == 3
    assert worker.claim(STAGES, 32) == []
    (claim,) = worker.claim_suspect(STAGES)
    died(tagged, "host:vision:1", [claim])
    assert tagged.states(TAGGING)[claim.subject][0] == "pending"  # it has all its chances again


def test_a_successor_in_the_same_place_frees_its_predecessors_claims_at_once(tagged: Books) -> None:
    tagged.work("host:vision:1").claim(STAGES, 2)
    tagged.work("host:other:1").claim(STAGES, 2)
    successor = tagged.work("host:vision:2")
    assert successor.sweep(LONG) == 2
    assert {(each.state, each.count) for each in successor.counts()} == {("ready", 2), ("claimed", 1)}


def test_blame_isolates_each_image_and_quarantines_with_the_reason(tagged: Books) -> None:
    worker = tagged.work()
    claims = worker.claim(STAGES, 2)
    worker.blame(claims, "ValueError: so it was")
    for _ in range(DEATHS_ALONE):
        tagged.due()
        assert set(subjects(worker.claim(STAGES, 32))).isdisjoint(subjects(claims))
        tagged.merge()
        worker.blame(worker.claim_suspect(STAGES), "ValueError: so it was")
        tagged.sql("UPDATE work SET priority = 1, next_attempt_at = now() + interval '1 day' WHERE deaths = 1")
    states = [tagged.states(TAGGING)[subject] for subject in subjects(claims)]
    assert sorted(states) == [("pending", "ValueError: so it was"), ("quarantined", "ValueError: so it was")]
    assert len(tagged.dirty()) == 1


def test_so_many_hints_are_under_way_and_no_more(books: Books) -> None:
    worker = books.work()
    assert [worker.announce(INGEST) for _ in range(4)] == [True] * HINTS_UNDER_WAY + [False] * (4 - HINTS_UNDER_WAY)
    worker.taken(INGEST)
    assert worker.announce(INGEST)
    assert worker.announce("vision")  # each queue has its own


def test_the_sweeper_mends_hints_that_were_lost(tagged: Books) -> None:
    worker = tagged.work()
    while worker.announce("vision"):
        pass
    assert "vision" not in worker.overdue()  # its hint is young
    tagged.sql("UPDATE hints SET sent_at = now() - interval '3 seconds'")
    assert "vision" in worker.overdue()
    assert "vision" not in worker.overdue()
    worker.taken("vision")
    assert worker.announce("vision")  # the lost ones do not count any more


def test_many_rounds_of_busy_workers_do_not_fill_the_queue_with_hints(tagged: Books) -> None:
    worker = tagged.work()
    worker.claim(STAGES, 1)
    sent = 0
    for _ in range(30):
        tagged.sql("UPDATE hints SET sent_at = now() - interval '3 seconds'")
        sent += worker.overdue().count("vision")
    assert sent <= 20


def test_a_queue_that_is_found_empty_forgets_lost_hints(books: Books) -> None:
    worker = books.work()
    while worker.announce("vision"):
        pass
    worker.drained("vision")
    assert worker.announce("vision")


def test_no_queue_is_overdue_without_ready_work(tagged: Books) -> None:
    worker = tagged.work()
    tagged.merge()
    tagged.settled("a.png")
    worker.fail([failure(claim) for claim in worker.claim(STAGES, 32)])
    tagged.merge()
    tagged.settled("a.png")
    assert worker.overdue() == []


def test_a_suspect_alone_makes_its_queue_overdue(tagged: Books) -> None:
    tagged.sql("UPDATE work SET deaths = 1")
    assert "vision" in tagged.work().overdue()


def test_a_hint_during_a_failing_attempt_is_not_lost(books: Books) -> None:
    worker = books.work()
    books.note("a.png")
    (claim,) = worker.claim([INGEST], 1)
    books.note("a.png")
    worker.fail([failure(claim, "refused", permanent=True)])
    (again,) = worker.claim([INGEST], 1)
    assert (again.subject, again.attempts) == (claim.subject, 1)


@pytest.mark.parametrize("end", ["blame", "death"])
def test_new_bytes_during_the_last_attempt_alone_have_all_their_chances(books: Books, end: str) -> None:
    worker = books.work()
    books.note("a.png", "b.png")
    books.sql("UPDATE work SET deaths = %s", DEATHS_ALONE)
    claims = [*worker.claim_suspect([INGEST]), *worker.claim_suspect([INGEST])]
    (row,) = books.note("a.png")
    if end == "blame":
        worker.blame(claims, "ValueError: so it was")
    else:
        died(books, "host:vision:1", claims)
    assert books.sql("SELECT subject, deaths, state FROM work ORDER BY state") == [
        (row.id, 1, "pending"),
        (next(claim.subject for claim in claims if claim.subject != row.id), DEATHS_ALONE + 1, "quarantined"),
    ]


def test_a_hint_that_was_sent_in_the_future_holds_up_no_queue(tagged: Books) -> None:
    """Somebody put the database's clock back."""
    worker = tagged.work()
    worker.announce("vision")
    tagged.sql("UPDATE hints SET sent_at = now() + interval '1 hour'")
    assert "vision" in worker.overdue()
    assert "vision" not in worker.overdue()


def test_workers_are_known_by_their_roles_as_long_as_they_are_heard_of(books: Books) -> None:
    books.work("host:a:1")
    books.work("host:b:1")
    books.sql("UPDATE workers SET seen_at = now() - interval '1 hour' WHERE name = 'host:b:1'")
    assert books.work("host:a:1").alive(LONG) == [("host:a:1", "")]
