"""What was done stays written down: nobody can change or remove a line, and decisions keep what was shown. R75."""

import psycopg
import pytest

from infra.records.accounts import PostgresAccounts
from infra.records.pool import Pool, transaction
from infra.records.review import PostgresReviewDesk
from schemas.review import Verdict
from tests.review.conftest import LEASE, Ledger, Staff, claimed, finding

TABLES = ("flags", "review_decisions", "review_events", "account_events")


@pytest.fixture
def decided(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> int:
    """A record with a line in every table of the audit."""
    record = ledger.flagged()
    item = claimed(desk, staff.mia)
    desk.decide(item.id, item.lease, staff.mia, Verdict.REMOVE, "a real sword")
    return record


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["UPDATE {} SET id = DEFAULT", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_audit_is_append_only(pool: Pool, decided: int, table: str, change: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"), transaction(pool) as connection:
        connection.execute(change.format(table))


@pytest.mark.parametrize("table", TABLES)
def test_a_replica_session_cannot_change_it_either(pool: Pool, decided: int, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(pool) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(f"DELETE FROM {table}")


def test_every_change_of_an_item_is_a_line_with_its_actor(
    ledger: Ledger, desk: PostgresReviewDesk, staff: Staff
) -> None:
    record = ledger.flagged()
    first = claimed(desk, staff.mia)
    desk.release(first.id, first.lease, staff.mia)
    second = claimed(desk, staff.ben)
    desk.decide(second.id, second.lease, staff.ben, Verdict.ESCALATE, "unsure")
    third = claimed(desk, staff.ada)
    desk.decide(third.id, third.lease, staff.ada, Verdict.REMOVE, "a real sword")
    desk.undo(third.id, staff.ada)
    assert [(event.actor, event.action) for event in desk.history(record)] == [
        ("", "opened"),
        ("mia", "claimed"),
        ("mia", "released"),
        ("ben", "claimed"),
        ("ben", "escalate"),
        ("ada", "claimed"),
        ("ada", "remove"),
        ("ada", "undone"),
    ]


def test_a_decision_keeps_what_its_maker_was_shown(ledger: Ledger, pool: Pool, decided: int) -> None:
    ledger.merge(decided, finding(score=0.99))
    with transaction(pool) as connection:
        row = connection.execute(
            "SELECT shown, revision, reason, reviewer, duration_ms FROM review_decisions"
        ).fetchone()
    assert row is not None
    shown, revision, reason, reviewer, duration = row
    assert [(flag["subject"], flag["score"]) for flag in shown] == [("tag:sword", 0.75)]
    assert (revision, reason, reviewer) == (0, "a real sword", "mia") and duration >= 0


def test_the_audit_outlives_an_erased_record(
    ledger: Ledger, pool: Pool, desk: PostgresReviewDesk, decided: int
) -> None:
    ledger.one(f"DELETE FROM records WHERE id = {decided} RETURNING 1")
    assert [event.action for event in desk.history(decided)] == ["opened", "claimed", "remove"]
    assert ledger.one("SELECT count(*) FROM review_items") == 0


def test_changes_of_accounts_are_written_down_with_who_made_them(pool: Pool, staff: Staff) -> None:
    PostgresAccounts(pool).disable("ben", by="ada")
    with transaction(pool) as connection:
        rows = connection.execute("SELECT actor, action FROM account_events WHERE account = %s", (staff.ben.id,))
        assert rows.fetchall() == [("", "created"), ("ada", "disabled")]


def test_an_empty_reload_is_no_line(ledger: Ledger, desk: PostgresReviewDesk, staff: Staff) -> None:
    record = ledger.flagged()
    for _ in range(3):
        desk.claim(staff.mia, None, LEASE)
    assert [event.action for event in desk.history(record)] == ["opened", "claimed"]
