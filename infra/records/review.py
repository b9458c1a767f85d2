"""The moderators' queue in PostgreSQL: claiming, deciding, taking back, and the audit of all of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from psycopg.rows import class_row

from infra.records.pool import Connection, Pool, session, transaction
from infra.records.sql import statement
from schemas.errors import ConflictError, NotFoundError, PermanentError
from schemas.review import ItemFlag, PastDecision, Person, QueueCount, ReviewEvent, ReviewItem, Role, Verdict

REOPENED = timedelta(minutes=5)  # how long an item stays with whoever took its decision back
LOST = (
    "this item is no longer yours: the lease ran out, somebody else decided, or nothing is found any more; "
    "take the next one"
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What counts as a precedent: so many differing bits of 64 at most, among so many latest decisions."""

    bits: int = 8
    window: int = 20_000


@dataclass(frozen=True, slots=True)
class _ItemRow:
    id: int
    record: int
    queue: str
    status: str
    priority: int
    created_at: datetime
    due_at: datetime
    lease: str
    leased_by: str
    leased_until: datetime | None
    escalated: bool
    version: int
    flags: list[dict[str, object]]

    def item(self) -> ReviewItem:
        return ReviewItem(
            id=self.id,
            record=self.record,
            queue=self.queue,
            status=self.status,
            priority=self.priority,
            created_at=self.created_at,
            due_at=self.due_at,
            flags=tuple(_flag(each) for each in self.flags),
            lease=self.lease,
            leased_by=self.leased_by,
            leased_until=self.leased_until,
            escalated=self.escalated,
            version=self.version,
        )


def _flag(shown: dict[str, object]) -> ItemFlag:
    return ItemFlag(
        policy=str(shown["policy"]),
        version=int(str(shown["version"])),
        severity=str(shown["severity"]),
        subject=str(shown["subject"]),
        score=float(str(shown["score"])),
        threshold=float(str(shown["threshold"])),
        source=str(shown["source"]),
    )


class PostgresReviewDesk:
    """`ReviewDesk` on a pool. undo_within: how long a moderator may take back a decision."""

    def __init__(
        self,
        pool: Pool,
        *,
        undo_within: timedelta = timedelta(minutes=10),
        likeness: Likeness = Likeness(),
    ) -> None:
        self._pool = pool
        self._undo_within = undo_within
        self._likeness = likeness

    def queues(self) -> list[QueueCount]:
        """Open items per queue, ordered by name."""
        with session(self._pool) as connection:
            rows = connection.execute(statement("review", "queues")).fetchall()
        return [QueueCount(queue, count, oldest, escalated) for queue, count, oldest, escalated in rows]

    def claim(self, person: Person, queue: str | None, lease: timedelta) -> ReviewItem | None:
        """Lease the most urgent open item nobody holds (the caller's own lease first), or None."""
        _check_role(person)
        with transaction(self._pool) as connection:
            return _claim(connection, person, lease, queue)

    def claim_record(self, person: Person, record: int, lease: timedelta) -> list[ReviewItem]:
        """Lease all that waits for one record, but for what others hold or only admins get."""
        _check_role(person)
        with transaction(self._pool) as connection:
            queues = connection.execute(statement("review", "open_queues"), {"records": [record]}).fetchall()
            claims = [_claim(connection, person, lease, queue, record) for _, queue in queues]
        return [item for item in claims if item]

    def upcoming(self, person: Person, queue: str | None) -> int | None:
        """The record that `claim` would lease after the item that this person holds now, or None."""
        _check_role(person)
        wanted = {**_who(person), "queue": queue}
        with session(self._pool) as connection:
            row = connection.execute(statement("review", "upcoming"), wanted, prepare=False).fetchone()
        return int(row[0]) if row else None

    def item(self, item: int) -> ReviewItem:
        """One item. NotFoundError when there is none."""
        with session(self._pool) as connection:
            return _item(connection, item)

    def release(self, item: int, lease: str, person: Person) -> None:
        """Skip: give an item back for others. ConflictError: the lease was lost."""
        with transaction(self._pool) as connection:
            held = {**_who(person), "item": item, "lease": lease}
            if not connection.execute(statement("review", "release"), held).fetchone():
                raise ConflictError(f"item {item}: {LOST}")

    def decide(self, item: int, lease: str, person: Person, verdict: Verdict, reason: str) -> int:
        """Close (or escalate) an item and mark its record to be merged again; returns the record.

        ConflictError when the lease is lost; PermanentError when removing has no reason.
        """
        _check_role(person)
        reason = reason.replace("\0", "").strip()
        if verdict is Verdict.REMOVE and not reason:
            raise PermanentError(f"item {item}: removing needs a reason; say in a few words what is wrong with it")
        said = {**_who(person), "item": item, "lease": lease, "verdict": str(verdict), "reason": reason}
        with transaction(self._pool) as connection:
            record = _touch(connection, item)
            if not connection.execute(statement("review", "settle"), said).fetchone():
                raise ConflictError(f"item {item}: {LOST}")
            connection.execute(statement("review", "add_decision"), said)
            if verdict is Verdict.ESCALATE:
                connection.execute(statement("review", "skip"), said)
            _tell(connection, said, str(verdict), reason)
        return record

    def undo(self, item: int, person: Person) -> int:
        """Take back one's own latest decision on an item and open it again, leased to them; returns the record.

        Within minutes and only one's own; an admin may take back anybody's at any time. Else ConflictError.
        """
        _check_role(person)
        said: dict[str, object] = {**_who(person), "item": item, "within": self._undo_within}
        with transaction(self._pool) as connection:
            record = _touch(connection, item)
            row = connection.execute(statement("review", "latest_decision"), said).fetchone()
            if row is None:
                raise ConflictError(f"item {item}: there is no decision to take back")
            decision, by, reviewer, verdict, recent = row
            if not person.role.includes(Role.ADMIN) and (by != person.id or not recent):
                raise ConflictError(
                    f"item {item}: {reviewer} decided last; only their own decision of the last "
                    f"{self._undo_within} can be taken back, by them or at any time by an admin"
                )
            said |= {"decision": decision, "verdict": verdict, "lease": uuid4().hex, "length": REOPENED}
            connection.execute(statement("review", "add_undo"), said)
            connection.execute(statement("review", "reopen"), said)
            connection.execute(statement("review", "unskip"), said)
            _tell(connection, said, "undone", f"{verdict} by {reviewer}")
        return record

    def history(self, record: int) -> list[ReviewEvent]:
        """A record's audit, oldest first."""
        with session(self._pool) as connection:
            cursor = connection.cursor(row_factory=class_row(ReviewEvent))
            return cursor.execute(statement("review", "history"), {"record": record}).fetchall()

    def precedents(self, record: int, limit: int) -> list[PastDecision]:
        """Earlier decisions on the record and on records that look like it, nearest first."""
        asked = {"record": record, "limit": limit, "bits": self._likeness.bits, "window": self._likeness.window}
        with session(self._pool) as connection:
            rows = connection.execute(statement("review", "precedents"), asked).fetchall()
        return [
            PastDecision(past, Verdict(verdict), reviewer, reason, at, distance, queue)
            for past, verdict, reviewer, reason, at, distance, queue in rows
        ]


def _check_role(person: Person) -> None:
    if person.disabled or not person.role.includes(Role.MODERATOR):
        raise PermanentError(f"{person.name} is not a moderator; an admin can change the role", code="forbidden")


def _who(person: Person) -> dict[str, object]:
    return {"person": person.id, "actor": person.name, "admin": person.role.includes(Role.ADMIN)}


def _claim(
    connection: Connection, person: Person, lease: timedelta, queue: str | None, record: int | None = None
) -> ReviewItem | None:
    wanted = {**_who(person), "queue": queue, "record": record, "length": lease, "lease": uuid4().hex}
    # Planned anew each time, because with and without a queue or record are different plans.
    row = connection.execute(statement("review", "claim"), wanted, prepare=False).fetchone()
    return _item(connection, row[0]) if row else None


def _item(connection: Connection, item: int) -> ReviewItem:
    cursor = connection.cursor(row_factory=class_row(_ItemRow))
    row = cursor.execute(statement("review", "item"), {"item": item}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no review item {item}; it may have been erased with its record")
    return row.item()


def _touch(connection: Connection, item: int) -> int:
    row = connection.execute(statement("review", "touch"), {"item": item}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no review item {item}; it may have been erased with its record")
    return int(row[0])


def _tell(connection: Connection, said: dict[str, object], action: str, detail: str) -> None:
    connection.execute(statement("review", "tell"), {**said, "action": action, "detail": detail})
