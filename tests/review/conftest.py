"""A ledger with records to review, people to do it, and the queue over both."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from infra.records.accounts import PostgresAccounts
from infra.records.flags import raise_flags, review_state
from infra.records.pool import Pool, transaction
from infra.records.review import PostgresReviewDesk
from schemas.review import Person, ReviewItem, ReviewState, Role
from schemas.rules import Action, Finding, Severity

LEASE = timedelta(minutes=10)


def finding(
    policy: str = "violence/weapons",
    subject: str = "tag:sword",
    *,
    version: int = 1,
    severity: Severity = Severity.LOW,
    action: Action = Action.REVIEW,
    queue: str = "weapons",
    score: float = 0.75,
) -> Finding:
    """A finding as moderation makes them; only what a test is about is said."""
    return Finding(policy, version, subject, score, 0.5, "sample-tagger", severity, action, queue)


@dataclass
class Ledger:
    """Records without pixels, and merging's part in review."""

    pool: Pool
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def record(self, *, phash: int = 0, collection: str = "main", hold: bool = False) -> int:
        """A new live record of new content."""
        with transaction(self.pool) as connection:
            row = connection.execute(
                """
                WITH place AS (
                    INSERT INTO collections (name, hold) VALUES (%(collection)s, %(hold)s)
                    ON CONFLICT (name) DO UPDATE SET hold = excluded.hold RETURNING id
                ), plan AS (
                    INSERT INTO plans (collection, models) SELECT id, '{}' FROM place RETURNING version, collection
                ), content AS (
                    INSERT INTO images (sha256, bytes, format, width, height, frames, phash, colours)
                    VALUES (%(sha256)s, 1, 'PNG', 1, 1, 1, %(phash)s, '[]') RETURNING id
                )
                INSERT INTO records (collection, image, plan)
                SELECT plan.collection, content.id, plan.version FROM plan, content RETURNING id
                """,
                {"collection": collection, "hold": hold, "phash": phash, "sha256": f"{next(self.numbers):064x}"},
            ).fetchone()
        assert row is not None
        return int(row[0])

    def merge(self, record: int, *findings: Finding) -> int:
        """What merging does: tell the queue everything that is found now."""
        with transaction(self.pool) as connection:
            return raise_flags(connection, {record: findings})

    def flagged(self, *findings: Finding, phash: int = 0) -> int:
        """A new record that policies matched."""
        record = self.record(phash=phash)
        self.merge(record, *(findings or (finding(),)))
        return record

    def state(self, record: int) -> ReviewState:
        """What review means for a record now."""
        return self.states([record])[record]

    def states(self, records: Sequence[int]) -> dict[int, ReviewState]:
        """The same for many."""
        with transaction(self.pool) as connection:
            return review_state(connection, records)

    def one(self, text: str) -> object:
        """The first column of the first row of a test's own query."""
        with transaction(self.pool) as connection:
            row = connection.execute(text).fetchone()
        return row[0] if row else None


@pytest.fixture
def ledger(pool: Pool) -> Ledger:
    return Ledger(pool)


@pytest.fixture
def desk(pool: Pool) -> PostgresReviewDesk:
    return PostgresReviewDesk(pool)


@dataclass(frozen=True)
class Staff:
    """Two moderators and an admin."""

    mia: Person
    ben: Person
    ada: Person


@pytest.fixture
def staff(pool: Pool) -> Staff:
    accounts = PostgresAccounts(pool)
    roles = {"mia": Role.MODERATOR, "ben": Role.MODERATOR, "ada": Role.ADMIN}
    return Staff(**{name: accounts.create(name, None, role) for name, role in roles.items()})


def claimed(desk: PostgresReviewDesk, person: Person, lease: timedelta = LEASE) -> ReviewItem:
    """The next item, which must be there."""
    item = desk.claim(person, None, lease)
    assert item is not None
    return item
