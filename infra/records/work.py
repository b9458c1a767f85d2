"""The work ledger on PostgreSQL: claims, failures, hints, heartbeats and the sweep."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.records.pool import Connection, Pool, Row, session, transaction
from infra.records.sql import statement
from schemas.ledger import BACKFILL, Claim, StageCount
from schemas.pipeline import GROUPS, INGEST, MERGE, needs
from schemas.results import Failure
from schemas.retry import DEATHS_ALONE, next_pause

HINTS_UNDER_WAY = 2
_DIED = f"the process died {DEATHS_ALONE} times while only this was at work; look at it, then `nafuda retry`"


@dataclass(slots=True)
class _Claiming:
    """One claim of a process at a time (claimers take turns anyway), so that none comes after its leave."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False


@dataclass(frozen=True, slots=True)
class PostgresWork:
    """`schemas.ledger.WorkLedger` for one worker, whose name its claims carry (place and process id)."""

    pool: Pool
    worker: str
    roles: str = ""
    backend: str = "postgres"  # which search index has to keep up
    _claiming: _Claiming = field(default_factory=_Claiming, init=False, compare=False)

    def claim(self, stages: Sequence[str], limit: int, latest: int = BACKFILL) -> list[Claim]:
        """Take what is ready, live first; see the port."""
        return self._claim("claim", stages, limit, latest)

    def claim_suspect(self, stages: Sequence[str]) -> list[Claim]:
        """Take one subject that a process died over, to be worked on alone."""
        return self._claim("claim_suspect", stages, 1)

    def _claim(self, query: str, stages: Sequence[str], limit: int, latest: int = BACKFILL) -> list[Claim]:
        values = {"stages": list(stages), "limit": limit, "latest": latest, "worker": self.worker}
        with self._claiming.turn:
            rows = [] if self._claiming.over else self._rows(query, values)
        claims = [Claim(*row) for row in rows]
        return sorted(claims, key=lambda claim: (claim.priority, claim.subject, claim.stage, claim.model))

    def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        with transaction(self.pool) as connection:
            connection.execute(statement("work", "turn"), values)
            return connection.execute(statement("work", query), values).fetchall()

    def fail(self, failures: Sequence[Failure]) -> set[str]:
        """Write failures down; what may succeed later becomes ready again after a pause."""
        if not failures:
            return set()
        pauses = [None if each.permanent else next_pause(each.code, max(each.attempts, 1)) for each in failures]
        values = {
            "stages": [each.stage for each in failures],
            "subjects": [each.subject for each in failures],
            "models": [each.model for each in failures],
            "states": ["failed" if pause is None else "pending" for pause in pauses],
            "delays": [0.0 if pause is None else pause.total_seconds() for pause in pauses],
            "codes": [each.code for each in failures],
            "reasons": [each.reason[:1000].replace("\0", "") for each in failures],
            "worker": self.worker,
        }
        with transaction(self.pool) as connection:
            connection.execute(statement("work", "fail"), values)
            images = {each.subject for each in failures if each.stage != INGEST}
            freed = release(connection, images, {each.stage for each in failures})
            return freed | to_merge(connection, images)

    def suspects(self, stages: Sequence[str]) -> bool:
        """True when there is a subject that a process died over."""
        return self._any("suspects", stages)

    def ready(self, stages: Sequence[str]) -> bool:
        """True when there is work that a hint would find."""
        return self._any("ready", stages)

    def _any(self, query: str, stages: Sequence[str]) -> bool:
        with session(self.pool) as connection:
            row = connection.execute(statement("work", query), {"stages": list(stages)}).fetchone()
        return bool(row and row[0])

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Return claims unworked, as a draining worker does; the attempt does not count."""
        self._release("give_back", claims)

    def leave(self) -> int:
        """Return all that this worker claims, and claim no more; see the port."""
        with self._claiming.turn:
            self._claiming.over = True
            with session(self.pool) as connection:
                return connection.execute(statement("work", "leave"), {"worker": self.worker}).rowcount

    def abandon(self, claims: Sequence[Claim]) -> None:
        """Return claims after a server was away; the attempt counts, and a pause follows."""
        self._release("abandon", claims)

    def blame(self, claims: Sequence[Claim], reason: str) -> None:
        """Return claims after an error that nobody foresaw: each is tried alone from now on."""
        values = {**self._named(claims), "most": DEATHS_ALONE, "reason": reason[:1000].replace("\0", "")}
        images = {claim.subject for claim in claims if claim.stage != INGEST}
        with transaction(self.pool) as connection:
            rows = connection.execute(statement("work", "blame"), values).fetchall()
            _touch(connection, images.intersection(subject for subject, state in rows if state == "quarantined"))

    def _release(self, query: str, claims: Sequence[Claim]) -> None:
        if claims:
            with session(self.pool) as connection:
                connection.execute(statement("work", query), self._named(claims))

    def _named(self, claims: Sequence[Claim]) -> dict[str, object]:
        return {
            "stages": [claim.stage for claim in claims],
            "subjects": [claim.subject for claim in claims],
            "models": [claim.model for claim in claims],
            "worker": self.worker,
        }

    def announce(self, queue: str) -> bool:
        """True when a hint should be sent: not enough are under way."""
        with session(self.pool) as connection:
            values = {"queue": queue, "most": HINTS_UNDER_WAY}
            return connection.execute(statement("work", "hint"), values).fetchone() is not None

    def taken(self, queue: str) -> None:
        """A hint arrived here."""
        with session(self.pool) as connection:
            connection.execute(statement("work", "taken"), {"queue": queue})

    def drained(self, queue: str) -> None:
        """There is nothing to do: hints under way are of no use, and none that was lost counts any longer."""
        with session(self.pool) as connection:
            connection.execute(statement("work", "drained"), {"queue": queue})

    def overdue(self) -> list[str]:
        """Queues with ready work for which no hint was sent for a while; each is noted as sent again."""
        probes = [(INGEST, INGEST), (MERGE, MERGE)]
        probes += [(group.name, stage) for group in GROUPS for stage in group.stages]
        queues, stages = [queue for queue, _ in probes], [stage for _, stage in probes]
        values = {"queues": queues, "stages": stages, "backend": self.backend}
        with session(self.pool) as connection:
            rows = connection.execute(statement("work", "overdue"), values).fetchall()
            for (queue,) in rows:
                stages = [stage for name, stage in probes if name == queue]
                connection.execute(statement("work", "rehint"), {"queue": queue, "stages": stages})
        return [str(row[0]) for row in rows]

    def beat(self) -> None:
        """This worker is alive; its claims hold."""
        with session(self.pool) as connection:
            connection.execute(statement("work", "beat"), {"worker": self.worker, "roles": self.roles})

    def sweep(self, silent: timedelta, judge: Callable[[datetime], bool] = lambda now: True) -> int:
        """Free claims of dead workers; the images whose state changed are merged again. See the port."""
        with transaction(self.pool) as connection:
            judged = all(judge(now) for (now,) in connection.execute(statement("work", "clock")))
            values = {"silent": silent.total_seconds(), "judged": judged, "most": DEATHS_ALONE, "reason": _DIED}
            freed = connection.execute(statement("work", "sweep"), values).fetchall()
            _touch(connection, {subject for stage, subject in freed if stage != INGEST})
            if judged:  # else it would forget, after a day without a database, those who live
                connection.execute(statement("work", "forget_workers"))
        return len(freed)

    def let_go(self, after: int, limit: int) -> int:
        """Let go of what waits for stages that have ended, of a page of images; see the port."""
        values = {"after": after, "limit": limit, **_needs()}
        with transaction(self.pool) as connection:
            page = connection.execute(statement("work", "forgotten"), values).fetchall()
            _release(connection, {int(image) for image, forgotten in page if forgotten})
        return int(page[-1][0]) if len(page) == limit else 0

    def recount(self) -> bool:
        """Tell the planner how much work there is, where it thinks of far less; see the port."""
        with session(self.pool) as connection:
            row = connection.execute(statement("work", "misjudged")).fetchone()
            if misjudged := bool(row and row[0]):
                connection.execute(statement("work", "recount"))
        return misjudged

    def retry(self, stages: Sequence[str], subjects: Sequence[int]) -> int:
        """Make failed or quarantined work ready again; returns how much."""
        with transaction(self.pool) as connection:
            values = {"stages": list(stages), "subjects": list(subjects)}
            rows = connection.execute(statement("work", "retry"), values).fetchall()
            hold(connection, {subject for stage, subject in rows if stage != INGEST})
            _touch(connection, {subject for stage, subject in rows if stage != INGEST})
        return len(rows)

    def counts(self) -> list[StageCount]:
        """Work by stage and state."""
        with session(self.pool) as connection:
            return [StageCount(*row) for row in connection.execute(statement("work", "counts")).fetchall()]

    def alive(self, silent: timedelta) -> list[tuple[str, str]]:
        """(name, roles) of workers that were heard of lately."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("work", "alive"), {"silent": silent.total_seconds()}).fetchall()
        return [(str(name), str(roles)) for name, roles in rows]


def release(connection: Connection, images: Collection[int], ended: Collection[str]) -> set[str]:
    """Let go of stages that waited only for what has ended in this transaction; returns their names."""
    if not images or not any(need in ended for _, need in needs()):
        return set()
    return _release(connection, images)


def to_merge(connection: Connection, images: Collection[int]) -> set[str]:
    """What was said of these images, or failed, shows in their records: soon, or at once where nothing else will come.

    The last step of a transaction that ended some of their work. Returns MERGE where some are to be merged at once.
    """
    if not images:
        return set()
    connection.execute(statement("work", "lock_said"), {"images": sorted(images)})
    due = connection.execute(statement("work", "touch_said"), {"images": sorted(images)}).fetchall()
    return {MERGE} if (True,) in due else set()


def hold(connection: Connection, images: Collection[int]) -> None:
    """Let stages wait whose needed ones are at work again."""
    if images:
        connection.execute(statement("work", "hold"), {"images": sorted(images), **_needs()})


def _release(connection: Connection, images: Collection[int]) -> set[str]:
    if not images:
        return set()
    which = {"images": sorted(images)}
    connection.execute(statement("work", "lock_held"), which)
    return {str(row[0]) for row in connection.execute(statement("work", "release"), {**which, **_needs()})}


def _needs() -> dict[str, list[str]]:
    return {"holding": [stage for stage, _ in needs()], "needed": [need for _, need in needs()]}


def _touch(connection: Connection, images: Collection[int]) -> None:
    """What became of these images' work shows in their records."""
    if images:
        connection.execute(statement("work", "touch_failed"), {"images": sorted(images)})
