"""Findings become flags and items once, reopen only for a new question, and go when nothing is found. R67, R75."""

from datetime import timedelta
from typing import Any, Self

import psycopg
import pytest
from psycopg.rows import TupleRow

from infra.records.flags import raise_flags, review_state
from infra.records.pool import transaction
from infra.records.review import PostgresReviewDesk
from schemas.record import Visibility
from schemas.review import Verdict
from schemas.rules import Action, Finding, Severity
from tests.review.conftest import LEASE, Ledger, Staff, claimed, finding

SWORD = finding()
HELD_SWORD = finding(action=Action.HOLD)


def decide(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff, verdict: Verdict, *findings: Finding) -> int:
    """A record whose findings a moderator has answered."""
    record = ledger.flagged(*findings)
    item = claimed(desk, staff.mia)
    desk.decide(item.id, item.lease, staff.mia, verdict, "seen")
    return record


def test_a_finding_opens_one_item_with_its_evidence(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    record = ledger.record()
    assert ledger.merge(record, SWORD) == 1
    item = claimed(desk, staff.mia)
    flag = item.flags[0]
    assert (item.record, item.queue, flag.policy, flag.subject) == (record, "weapons", SWORD.policy, "tag:sword")
    assert (flag.score, flag.threshold, flag.version, flag.source) == (0.75, 0.5, 1, "sample-tagger")


def test_merging_again_changes_nothing(ledger: Ledger) -> None:
    record = ledger.flagged(SWORD)
    assert [ledger.merge(record, SWORD) for _ in range(3)] == [0, 0, 0]
    assert ledger.one("SELECT count(*) FROM flags") == 1
    assert ledger.one("SELECT count(*) FROM review_events") == 1


def test_several_findings_of_one_queue_are_one_item_as_urgent_as_the_worst(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    ledger.flagged(SWORD, finding("violence/gore", "tag:gore", severity=Severity.HIGH))
    item = claimed(desk, staff.mia)
    assert len(item.flags) == 2
    assert item.due_at is not None and item.due_at - item.created_at == timedelta(hours=1)


def test_a_worse_finding_makes_an_open_item_more_urgent(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    record = ledger.flagged(SWORD)
    before = claimed(desk, staff.mia)
    assert ledger.merge(record, SWORD, finding(subject="tag:gun", severity=Severity.HIGH)) == 0
    after = desk.item(before.id)
    assert after.priority > before.priority and after.due_at < before.due_at  # type: ignore[operator]


@pytest.mark.parametrize(
    ("now", "opened"),
    [
        pytest.param(finding(version=2), 0, id="another version of the policies with the same question"),
        pytest.param(finding(score=0.99), 0, id="another score: the person saw the image itself"),
        pytest.param(finding(queue="arms"), 0, id="another queue"),
        pytest.param(finding(subject="tag:gun"), 1, id="another subject"),
        pytest.param(finding("violence/blades"), 1, id="another policy"),
        pytest.param(finding(severity=Severity.HIGH), 1, id="a higher severity"),
        pytest.param(finding(action=Action.HOLD), 1, id="holding instead of reviewing"),
    ],
)
def test_a_decided_record_is_asked_again_only_for_a_new_or_stricter_question(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff, now: Finding, opened: int
) -> None:
    record = decide(ledger, desk, staff, Verdict.KEEP, SWORD)
    assert ledger.merge(record, now) == opened


def test_a_finding_that_came_while_somebody_looked_is_asked_after_their_decision(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.flagged(SWORD)
    item = claimed(desk, staff.mia)
    both = (SWORD, finding(subject="tag:gun"))
    ledger.merge(record, *both)
    desk.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "")
    assert ledger.merge(record, *both) == 1
    verdicts = {flag.subject: flag.verdict for flag in ledger.state(record).flags}
    assert verdicts == {"tag:sword": "keep", "tag:gun": ""}


def test_an_item_is_withdrawn_when_nothing_is_found_any_more(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.flagged(SWORD)
    item = claimed(desk, staff.mia)
    ledger.merge(record)
    assert desk.item(item.id).status == "closed"
    assert [event.action for event in desk.history(record)] == ["opened", "claimed", "withdrawn"]
    assert ledger.state(record).flags == () and ledger.state(record).word == ""
    assert ledger.one("SELECT count(*) FROM flags") == 1  # what was once found stays on record


def test_a_finding_that_comes_back_opens_a_new_item(ledger: Ledger) -> None:
    record = ledger.flagged(SWORD)
    ledger.merge(record)
    assert ledger.merge(record, SWORD) == 1


def test_a_record_without_its_object_waits_for_nobody(ledger: Ledger, desk: PostgresReviewDesk) -> None:
    record = ledger.flagged(SWORD)
    ledger.one(f"UPDATE records SET live = false WHERE id = {record} RETURNING 1")
    ledger.merge(record, SWORD)
    assert desk.queues() == []


@pytest.mark.parametrize(
    ("found", "verdict", "visibility", "word"),
    [
        (SWORD, None, Visibility.SHOWN, "open"),
        (SWORD, Verdict.KEEP, Visibility.SHOWN, "kept"),
        (SWORD, Verdict.REMOVE, Visibility.REMOVED, "removed"),
        (HELD_SWORD, None, Visibility.HELD, "open"),
        (HELD_SWORD, Verdict.KEEP, Visibility.SHOWN, "kept"),
        (HELD_SWORD, Verdict.REMOVE, Visibility.REMOVED, "removed"),
        (HELD_SWORD, Verdict.ESCALATE, Visibility.HELD, "open"),
    ],
)
def test_visibility_follows_the_action_and_then_the_verdict(
    ledger: Ledger,
    desk: PostgresReviewDesk,
    staff: Staff,
    found: Finding,
    verdict: Verdict | None,
    visibility: Visibility,
    word: str,
) -> None:
    record = decide(ledger, desk, staff, verdict, found) if verdict else ledger.flagged(found)
    ledger.merge(record, found)
    state = ledger.state(record)
    assert (state.visibility, state.word) == (visibility, word)


def test_a_kept_hold_does_not_hold_again_when_another_flag_reopens_the_queue(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = decide(ledger, desk, staff, Verdict.KEEP, HELD_SWORD)
    ledger.merge(record, HELD_SWORD, finding(subject="tag:gun"))
    state = ledger.state(record)
    assert state.open_queues == ("weapons",) and not state.held


def test_a_collection_can_hold_every_image_until_it_is_cleared(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.record(collection="contest", hold=True)
    assert ledger.state(record).held  # before merging has said anything
    assert ledger.merge(record) == 1
    item = claimed(desk, staff.mia)
    assert (item.queue, item.flags[0].subject) == ("arrivals", "collection:contest")
    desk.decide(item.id, item.lease, staff.mia, Verdict.KEEP, "")
    assert ledger.merge(record) == 0
    assert ledger.state(record).visibility is Visibility.SHOWN


def test_a_removal_in_one_queue_outranks_a_keep_in_another(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.flagged(SWORD, finding("adult/suggestive", "tag:swimsuit", queue="adult"))
    for queue, verdict in (("weapons", Verdict.REMOVE), ("adult", Verdict.KEEP)):
        item = desk.claim(staff.mia, queue, LEASE)
        assert item is not None
        desk.decide(item.id, item.lease, staff.mia, verdict, "seen")
    assert ledger.state(record).removed
    assert ledger.state(record).verdict is Verdict.KEEP  # the latest one


class Counting(psycopg.Cursor[TupleRow]):
    """A cursor that counts what is sent."""

    sent = 0

    def execute(self, *args: Any, **kwargs: Any) -> Self:
        Counting.sent += 1
        return super().execute(*args, **kwargs)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_many_records_take_as_many_statements_as_one(ledger: Ledger, share: float) -> None:
    def statements(count: int) -> int:
        records = [ledger.record() for _ in range(count)]
        found = {record: (SWORD,) if n < count * share else () for n, record in enumerate(records)}
        with transaction(ledger.pool) as connection:
            connection.cursor_factory, Counting.sent = Counting, 0
            raise_flags(connection, found)
            review_state(connection, records)
            connection.cursor_factory = psycopg.Cursor
        return Counting.sent

    assert statements(2) == statements(50) <= 11
