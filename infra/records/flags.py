"""Findings into flags and queue items, and what that means for a record: for merging, in its own transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta

from psycopg.rows import class_row

from infra.records.pool import Connection
from infra.records.sql import statement
from schemas.record import FlagView
from schemas.review import ReviewState, Verdict
from schemas.rules import Action, Finding, Severity

ARRIVALS = "arrivals"  # the queue of collections that hold every image back
HOLD_POLICY = "collection/hold"
DUE: Mapping[Severity, timedelta] = {
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(days=1),
    Severity.LOW: timedelta(days=3),
}


@dataclass(frozen=True, slots=True)
class _Touched:
    id: int
    live: bool
    hold: bool
    name: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """A flag that holds now."""

    record: int
    queue: str
    policy: str
    version: int
    severity: str
    action: str
    subject: str
    score: float
    threshold: float
    source: str

    def view(self, verdict: str) -> FlagView:
        return FlagView(
            policy=self.policy,
            version=self.version,
            severity=self.severity,
            action=self.action,
            subject=self.subject,
            score=self.score,
            threshold=self.threshold,
            source=self.source,
            verdict=verdict,
        )


@dataclass(frozen=True, slots=True)
class _Decision:
    """A keep or remove that nobody took back, with the flags its maker was shown."""

    record: int
    queue: str
    verdict: str
    shown: list[dict[str, object]]


class _Decided:
    """What people have already answered. A decision covers what it showed, unless the question became stricter."""

    def __init__(self, latest_first: Iterable[_Decision]) -> None:
        self._answers: dict[tuple[int, str, str], list[tuple[int, bool, str]]] = defaultdict(list)
        self._verdicts: dict[int, dict[str, str]] = defaultdict(dict)
        for decision in latest_first:
            self._verdicts[decision.record].setdefault(decision.queue, decision.verdict)
            for flag in decision.shown:
                key = (decision.record, str(flag["policy"]), str(flag["subject"]))
                answer = (Severity(str(flag["severity"])).rank, flag["action"] == Action.HOLD, decision.verdict)
                self._answers[key].append(answer)

    def verdict(self, record: int, policy: str, subject: str, severity: str, action: str) -> str:
        """The latest verdict on this finding, or "" when nobody has answered it at this severity and action."""
        for rank, held, verdict in self._answers.get((record, policy, subject), ()):
            if rank >= Severity(severity).rank and (held or action != Action.HOLD):
                return verdict
        return ""

    def on(self, record: int, finding: Finding) -> str:
        """The verdict on a finding, as in `verdict`."""
        return self.verdict(record, finding.policy, finding.subject, finding.severity, finding.action)

    def latest(self, record: int) -> Verdict | None:
        """The latest verdict on the record in any queue."""
        return next((Verdict(verdict) for verdict in self._verdicts.get(record, {}).values()), None)

    def removed(self, record: int) -> bool:
        """True when the latest verdict of some queue is to remove."""
        return Verdict.REMOVE in self._verdicts.get(record, {}).values()


def raise_flags(connection: Connection, findings: Mapping[int, Sequence[Finding]]) -> int:
    """Make the queue answer to what policies find now: record → everything found on it (empty: nothing any more).

    Opens an item for each queue with a finding that no decision covers, closes the items whose findings are all
    gone, and leaves the rest alone; so doing it again changes nothing. A record that is not live has no findings.
    Call it inside the transaction that merges. Returns how many items were opened.
    """
    touched = _touched(connection, findings)
    if not touched:
        return 0
    records = [row.id for row in touched]
    found = [(row.id, finding) for row in touched for finding in _of(row, findings.get(row.id, ()))]
    columns = _columns(found)
    connection.execute(statement("review", "add_flags"), columns)
    connection.execute(statement("review", "stand"), {**columns, "records": records})
    decided = _decided(connection, records)
    opened = _open(connection, [(record, each) for record, each in found if not decided.on(record, each)])
    connection.execute(statement("review", "withdraw"), {"records": records})
    return opened


def review_state(connection: Connection, records: Sequence[int]) -> dict[int, ReviewState]:
    """What review means for each of these records, after `raise_flags`: four statements however many there are."""
    ids = {"records": list(records)}
    flags: dict[int, list[FlagView]] = defaultdict(list)
    decided = _decided(connection, records)
    for flag in _standing(connection, records):
        verdict = decided.verdict(flag.record, flag.policy, flag.subject, flag.severity, flag.action)
        flags[flag.record].append(flag.view(verdict))
    queues: dict[int, list[str]] = defaultdict(list)
    for record, queue in connection.execute(statement("review", "open_queues"), ids):
        queues[record].append(queue)
    unseen = {
        record
        for record, name in connection.execute(statement("review", "holds"), ids)
        if not decided.verdict(record, HOLD_POLICY, f"collection:{name}", Severity.LOW, Action.HOLD)
    }
    return {
        record: ReviewState(
            flags=tuple(flags[record]),
            open_queues=tuple(queues[record]),
            verdict=decided.latest(record),
            held=record in unseen or any(f.action == Action.HOLD and not f.verdict for f in flags[record]),
            removed=decided.removed(record),
        )
        for record in records
    }


def _touched(connection: Connection, findings: Mapping[int, Sequence[Finding]]) -> list[_Touched]:
    """Lock the records whose review can change; most have no flag and cost this one look."""
    found = [record for record, each in findings.items() if each]
    cursor = connection.cursor(row_factory=class_row(_Touched))
    return cursor.execute(statement("review", "touched"), {"records": list(findings), "found": found}).fetchall()


def _of(row: _Touched, findings: Sequence[Finding]) -> list[Finding]:
    """What holds against a record; a collection that holds everything back is a finding of its own."""
    if not row.live:
        return []
    if not row.hold:
        return list(findings)
    subject = f"collection:{row.name}"
    return [*findings, Finding(HOLD_POLICY, 0, subject, 1.0, 1.0, "collection", Severity.LOW, Action.HOLD, ARRIVALS)]


def _columns(found: Sequence[tuple[int, Finding]]) -> dict[str, list[object]]:
    """Findings as one list a column; a finding's fields are named like the columns."""
    names = [field.name for field in fields(Finding)]
    columns: dict[str, list[object]] = {name: [getattr(each, name) for _, each in found] for name in names}
    return {**columns, "record": [record for record, _ in found]}


def _standing(connection: Connection, records: Sequence[int]) -> list[_Standing]:
    cursor = connection.cursor(row_factory=class_row(_Standing))
    return cursor.execute(statement("review", "standing"), {"records": list(records)}).fetchall()


def _decided(connection: Connection, records: Sequence[int]) -> _Decided:
    cursor = connection.cursor(row_factory=class_row(_Decision))
    return _Decided(cursor.execute(statement("review", "in_force"), {"records": list(records)}).fetchall())


def _open(connection: Connection, unanswered: Iterable[tuple[int, Finding]]) -> int:
    """One item for each record and queue, as urgent as the worst of its findings; what is held goes first."""
    waiting: dict[tuple[int, str], tuple[int, Severity]] = {}
    for record, each in unanswered:
        severity = Severity(each.severity)
        priority = 2 * severity.rank + (each.action == Action.HOLD)
        key = (record, each.queue)
        waiting[key] = max(waiting.get(key, (0, Severity.LOW)), (priority, severity))
    columns = {
        "record": [record for record, _ in waiting],
        "queue": [queue for _, queue in waiting],
        "priority": [priority for priority, _ in waiting.values()],
        "due": [DUE[severity] for _, severity in waiting.values()],
    }
    row = connection.execute(statement("review", "open_items"), columns).fetchone()
    return int(row[0]) if row else 0
