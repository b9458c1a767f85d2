"""The queue: leases, decisions, skipping, escalating and taking back. R75."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.records.flags import raise_flags
from infra.records.pool import Pool, transaction
from infra.records.review import Likeness, PostgresReviewDesk
from schemas.errors import ConflictError, NotFoundError, PermanentError
from schemas.review import Person, ReviewDesk, Role, Verdict
from schemas.rules import Action, Severity
from tests.review.conftest import LEASE, Ledger, Staff, claimed, finding

SHORT = timedelta(milliseconds=30)


def test_the_adapter_is_a_review_desk(desk: PostgresReviewDesk) -> None:
    port: ReviewDesk = desk
    assert port.queues() == []


def test_an_empty_queue_gives_nothing(desk: PostgresReviewDesk, staff: Staff) -> None:
    assert desk.claim(staff.mia, None, LEASE) is None
    assert desk.upcoming(staff.mia, None) is None


def test_the_most_urgent_comes_first_and_of_equals_the_oldest(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    low = [ledger.flagged() for _ in range(2)]
    held = ledger.flagged(finding(action=Action.HOLD))
    high = ledger.flagged(finding(severity=Severity.HIGH))
    order = []
    for _ in range(4):
        item = claimed(desk, staff.mia)
        desk.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "")
        order.append(item.record)
    assert order == [high, held, *low]


def test_queues_are_counted_and_can_be_worked_one_by_one(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    ledger.flagged()
    adult = ledger.flagged(finding("adult/suggestive", "tag:swimsuit", queue="adult"))
    assert [(each.queue, each.open) for each in desk.queues()] == [("adult", 1), ("weapons", 1)]
    item = desk.claim(staff.mia, "adult", LEASE)
    assert item is not None and item.record == adult
    assert desk.claim(staff.ben, "adult", LEASE) is None


def test_one_claims_ones_own_item_again_with_the_same_lease(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    ledger.flagged()
    ledger.flagged(finding(severity=Severity.HIGH))
    first = claimed(desk, staff.mia)
    again = claimed(desk, staff.mia)
    assert (again.id, again.lease, again.leased_by) == (first.id, first.lease, "mia")


def test_a_reload_that_shows_more_makes_the_older_page_stale(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.flagged()
    old = claimed(desk, staff.mia)
    ledger.merge(record, finding(), finding(subject="tag:gun"))
    new = claimed(desk, staff.mia)
    assert len(new.flags) == 2
    with pytest.raises(ConflictError):
        desk.decide(old.id, old.lease, staff.mia, Verdict.KEEP, "")
    desk.decide(new.id, new.lease, staff.mia, Verdict.KEEP, "")


def test_upcoming_names_what_the_next_claim_gives_and_leases_nothing(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    ledger.flagged(finding(severity=Severity.HIGH))
    second = ledger.flagged()
    mine = claimed(desk, staff.mia)
    assert desk.upcoming(staff.mia, None) == second
    desk.decide(mine.id, mine.lease, staff.mia, Verdict.KEEP, "")
    assert claimed(desk, staff.mia).record == second


@pytest.mark.parametrize("people", [1, 20])
def test_no_item_is_claimed_by_two(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff, people: int) -> None:
    for _ in range(20):
        ledger.flagged()
    crowd = [Person(id_, "x", Role.MODERATOR) for id_ in _crowd(ledger, people)]
    with ThreadPoolExecutor(20) as threads:
        claims = threads.map(lambda n: desk.claim(crowd[n % people], None, LEASE), range(20))
        items = [item for item in claims if item]
    holders: dict[int, set[str]] = {}
    for item in items:
        holders.setdefault(item.id, set()).add(item.leased_by)
    assert all(len(names) == 1 for names in holders.values())
    assert len(holders) == 20 if people == 20 else len(holders) >= 1


def _crowd(ledger: Ledger, people: int) -> list[int]:
    return [
        int(
            str(ledger.one(f"INSERT INTO accounts (name, key, role) VALUES ('p{n}', 'p{n}', 'moderator') RETURNING id"))
        )
        for n in range(people)
    ]


def test_of_two_decisions_at_once_one_is_a_conflict(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    ledger.flagged()
    item = claimed(desk, staff.mia)

    def decide(verdict: Verdict) -> str:
        try:
            desk.decide(item.id, item.lease, staff.mia, verdict, "seen")
        except ConflictError:
            return "conflict"
        return "decided"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(decide, (Verdict.KEEP, Verdict.REMOVE))) == ["conflict", "decided"]


def test_merging_and_deciding_at_once_do_not_block_each_other_for_good(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    records = [ledger.flagged() for _ in range(8)]

    def merge(order: int) -> None:
        with transaction(ledger.pool) as connection:
            raise_flags(connection, {record: (finding(),) for record in records[::order]})

    def decide(person: Person) -> None:
        item = claimed(desk, person)
        desk.decide(item.id, item.lease, person, Verdict.KEEP, "")

    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(merge, (-1) ** n) for n in range(12)]
        work += [threads.submit(decide, person) for person in (staff.mia, staff.ben, staff.ada)]
        for each in work:
            each.result()
    assert [state.word for state in ledger.states(records).values()].count("kept") == 3


def test_a_lease_that_ran_out_decides_nothing_and_frees_the_item(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    ledger.flagged()
    late = claimed(desk, staff.mia, SHORT)
    time.sleep(0.05)
    with pytest.raises(ConflictError, match="lease ran out"):
        desk.decide(late.id, late.lease, staff.mia, Verdict.KEEP, "")
    assert claimed(desk, staff.ben).id == late.id
    with pytest.raises(ConflictError):
        desk.decide(late.id, late.lease, staff.mia, Verdict.KEEP, "")


def test_somebody_elses_token_decides_nothing(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    ledger.flagged()
    item = claimed(desk, staff.mia)
    for lease, person in ((item.lease, staff.ben), ("", staff.mia), ("guess", staff.mia)):
        with pytest.raises(ConflictError):
            desk.decide(item.id, lease, person, Verdict.KEEP, "")


def test_all_that_waits_for_one_record_can_be_claimed_but_for_what_others_hold(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    ledger.flagged(finding(severity=Severity.HIGH))
    record = ledger.flagged(finding(), finding("adult/suggestive", "tag:swimsuit", queue="adult"))
    held = desk.claim(staff.ben, "adult", LEASE)
    assert held is not None and held.record == record
    assert [item.queue for item in desk.claim_record(staff.mia, record, LEASE)] == ["weapons"]
    desk.release(held.id, held.lease, staff.ben)
    assert [item.queue for item in desk.claim_record(staff.mia, record, LEASE)] == ["adult", "weapons"]
    assert desk.claim_record(staff.mia, 404, LEASE) == []


def test_a_decision_marks_the_record_to_be_merged_and_leaves_nothing_behind_when_it_fails(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.flagged()
    item = claimed(desk, staff.mia)
    with pytest.raises(ConflictError):
        desk.decide(item.id, "guess", staff.mia, Verdict.KEEP, "")
    assert ledger.one(f"SELECT dirty FROM records WHERE id = {record}") == 1
    assert desk.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "") == record
    assert ledger.one(f"SELECT dirty FROM records WHERE id = {record}") == 2


def test_removing_needs_a_reason(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    ledger.flagged()
    item = claimed(desk, staff.mia)
    with pytest.raises(PermanentError, match="needs a reason"):
        desk.decide(item.id, item.lease, staff.mia, Verdict.REMOVE, " ")


def test_a_skipped_item_is_free_for_others_and_comes_last_for_oneself(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    for _ in range(2):
        ledger.flagged()
    first = claimed(desk, staff.mia)
    desk.release(first.id, first.lease, staff.mia)
    second = claimed(desk, staff.mia)
    assert second.id != first.id
    assert claimed(desk, staff.ben).id == first.id
    with pytest.raises(ConflictError):
        desk.release(first.id, first.lease, staff.mia)


def test_when_only_skipped_items_are_left_the_longest_skipped_comes_again(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    for _ in range(2):
        ledger.flagged()
    skipped = []
    for _ in range(2):
        item = claimed(desk, staff.mia)
        desk.release(item.id, item.lease, staff.mia)
        skipped.append(item.id)
    assert claimed(desk, staff.mia).id == skipped[0]


def test_an_escalated_item_waits_for_admins_only(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    record = ledger.flagged()
    item = claimed(desk, staff.mia)
    assert desk.decide(item.id, item.lease, staff.mia, Verdict.ESCALATE, "unsure") == record
    assert desk.claim(staff.mia, None, LEASE) is None and desk.claim(staff.ben, None, LEASE) is None
    assert [(each.open, each.escalated) for each in desk.queues()] == [(1, 1)]
    taken = claimed(desk, staff.ada)
    assert taken.id == item.id and taken.escalated
    desk.decide(taken.id, taken.lease, staff.ada, Verdict.KEEP, "")
    assert desk.queues() == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_ones_own_decision_can_be_taken_back(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff, verdict: Verdict
) -> None:
    record = ledger.flagged()
    item = claimed(desk, staff.mia)
    desk.decide(item.id, item.lease, staff.mia, verdict, "oops")
    assert desk.undo(item.id, staff.mia) == record
    again = claimed(desk, staff.mia)
    assert again.id == item.id and not again.escalated
    assert ledger.state(record).verdict is None
    with pytest.raises(ConflictError, match="no decision"):
        desk.undo(item.id, staff.mia)


def test_what_was_taken_back_is_the_next_in_hand_even_before_what_is_more_urgent(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    ledger.flagged()
    item = claimed(desk, staff.mia)
    desk.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "")
    urgent = ledger.flagged(finding(severity=Severity.HIGH))
    desk.undo(item.id, staff.mia)
    assert claimed(desk, staff.mia).id == item.id
    assert claimed(desk, staff.ben).record == urgent


def test_an_undo_leaves_a_newer_item_of_the_queue_alone(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    record = ledger.flagged()
    item = claimed(desk, staff.mia)
    desk.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "")
    ledger.merge(record, finding(), finding(subject="tag:gun"))
    desk.undo(item.id, staff.mia)
    assert desk.item(item.id).status == "closed"
    assert {flag.verdict for flag in ledger.state(record).flags} == {""}
    assert [queue.open for queue in desk.queues()] == [1]


def test_an_undo_brings_the_decision_before_back_in_force(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.flagged()
    for verdict in (Verdict.REMOVE, Verdict.KEEP):
        item = claimed(desk, staff.mia)
        desk.decide(item.id, item.lease, staff.mia, verdict, "seen")
        ledger.merge(record, finding(), finding(subject="tag:gun"))
    assert not ledger.state(record).removed
    desk.undo(item.id, staff.mia)
    assert ledger.state(record).removed


def test_somebody_elses_or_an_old_decision_is_taken_back_by_an_admin_only(
    ledger: Ledger, pool: Pool, staff: Staff
) -> None:
    ledger.flagged()
    strict = PostgresReviewDesk(pool, undo_within=timedelta(0))
    item = claimed(strict, staff.mia)
    strict.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "")
    for person in (staff.mia, staff.ben):
        with pytest.raises(ConflictError, match="mia decided last"):
            strict.undo(item.id, person)
    strict.undo(item.id, staff.ada)
    assert strict.item(item.id).status == "open"


def test_viewers_and_disabled_people_review_nothing(desk: PostgresReviewDesk) -> None:
    for person in (Person(1, "vera", Role.VIEWER), Person(2, "dan", Role.ADMIN, disabled=True)):
        with pytest.raises(PermanentError, match="not a moderator"):
            desk.claim(person, None, LEASE)


def test_an_unknown_item_is_not_found(desk: PostgresReviewDesk, staff: Staff) -> None:
    with pytest.raises(NotFoundError):
        desk.item(404)
    with pytest.raises(NotFoundError):
        desk.decide(404, "", staff.mia, Verdict.KEEP, "")


def test_precedents_are_the_records_own_and_its_likes_nearest_first(ledger: Ledger, pool: Pool, staff: Staff) -> None:
    desk = PostgresReviewDesk(pool, likeness=Likeness(bits=4))
    # Of 64 bits: the sign bit counts too; 0b11111 is one bit too far.
    decided = {phash: ledger.flagged(phash=phash) for phash in (0b111, 0b1, -(2**63), 0b11111, -1)}
    for _ in decided:
        item = claimed(desk, staff.mia)
        desk.decide(item.id, item.lease, staff.mia, Verdict.REMOVE, "seen")
    record = ledger.flagged(phash=0)
    own = claimed(desk, staff.mia)
    desk.decide(own.id, own.lease, staff.mia, Verdict.KEEP, "")
    found = [(past.record, past.distance, past.verdict) for past in desk.precedents(record, 10)]
    remove = Verdict.REMOVE
    assert found[0] == (record, 0, Verdict.KEEP)
    assert set(found[1:3]) == {(decided[0b1], 1, remove), (decided[-(2**63)], 1, remove)}
    assert found[3:] == [(decided[0b111], 3, remove)]
    assert len(desk.precedents(record, 2)) == 2


def test_a_decision_taken_back_is_no_precedent(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    record = ledger.flagged()
    item = claimed(desk, staff.mia)
    desk.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "")
    desk.undo(item.id, staff.mia)
    assert desk.precedents(record, 10) == []
