"""The object ledger on PostgreSQL: hints, what ingest found, and where the bytes lie."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from infra.records.pool import Connection, Pool, Row, session, transaction
from infra.records.sql import statement
from infra.records.work import hold
from schemas.events import ObjectEvent
from schemas.images import ImageFacts, ObjectHead, Sidecar
from schemas.ledger import Found, ImageRow, ObjectRow, Outcome
from schemas.pipeline import needs

_TXT = ".txt"


@dataclass(frozen=True, slots=True)
class PostgresObjects:
    """`schemas.ledger.ObjectLedger`."""

    pool: Pool
    backend: str = "postgres"  # which search index an image has to be in

    def note(self, events: Sequence[ObjectEvent], priority: int = 0) -> int:
        """Write hints down. Objects of no collection are left out: a collection is an allow-list."""
        with session(self.pool) as connection:
            return note_in(connection, events, priority)

    def objects(self, ids: Sequence[int]) -> list[ObjectRow]:
        """Rows by id, ordered by id."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("objects", "by_ids"), {"ids": list(ids)}).fetchall()
        return [ObjectRow(*row) for row in rows]

    def known(self, digests: Iterable[str]) -> dict[str, int]:
        """Which of these contents (SHA-256) are images already."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("objects", "known_images"), {"digests": list(digests)})
            return {str(digest): int(image) for digest, image in rows.fetchall()}

    def found(self, found: Sequence[Found]) -> list[int]:
        """Link objects to images, make records, plan work; returns ids of images that have work to be done."""
        if not found:
            return []
        answers = sorted(found, key=lambda each: each.object)
        with transaction(self.pool) as connection:
            _add_images(connection, [each for each in answers if each.facts is not None])
            linked = _link(connection, answers)
            _put_sidecars(connection, answers, {row[0] for row in linked})
            pairs = [(collection, image) for _, collection, image, _, _ in linked]
            left = [(was, old) for _, now, image, was, old in linked if old is not None and (was, old) != (now, image)]
            values = {"collections": [pair[0] for pair in pairs], "images": [pair[1] for pair in pairs]}
            priority = {each.object: each.priority for each in answers}
            # Work before records, as everywhere: who stores results takes them in this order, too.
            planned = plan(connection, pairs, [priority[row[0]] for row in linked])
            _end(connection, [(each.object, each.checks) for each in answers])
            _touch(connection, [*left, *pairs])
            connection.execute(statement("objects", "add_records"), values)
        return [image for _, image in pairs] if planned else []

    def unchanged(self, answers: Sequence[tuple[int, int]]) -> None:
        """(object, checks) whose store holds what it held at the last look."""
        if answers:
            values = {"ids": [each[0] for each in answers], "checks": [each[1] for each in answers]}
            with transaction(self.pool) as connection:
                connection.execute(statement("objects", "unchanged"), values)
                _end(connection, answers)

    def gone(self, object: int, checks: int) -> bool:
        """Nothing is stored there any more."""
        return self._settle(object, checks, "gone", None, "", "")

    def refused(self, object: int, checks: int, head: ObjectHead, code: str, reason: str) -> bool:
        """Not an acceptable image: kept with the reason, so that a person can see it."""
        return self._settle(object, checks, "refused", head, code, reason)

    def sidecar(self, object: int, checks: int, head: ObjectHead, sidecar: Sidecar) -> bool:
        """Tags that belong to the image of the same name, whichever of the two comes first."""
        return self._settle(object, checks, "sidecar", head, "", "", sidecar)

    def images(self, ids: Sequence[int]) -> list[ImageRow]:
        """Where to fetch these images."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("objects", "current"), {"ids": list(ids)}).fetchall()
        return [ImageRow(*row) for row in rows]

    def page(self, bucket: str, prefix: str, after: str, limit: int) -> list[tuple[str, str]]:
        """(key, etag) of what should be stored in a bucket, ordered by key, from behind `after`."""
        values = {"bucket": bucket, "prefix": prefix, "after": after, "limit": limit}
        with session(self.pool) as connection:
            rows = connection.execute(statement("objects", "page"), values).fetchall()
        return [(str(key), str(etag)) for key, etag, _ in rows]

    def sources(self) -> list[tuple[str, str, str]]:
        """(bucket, prefix, collection's name) of everything that is listened to."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("objects", "sources")).fetchall()
        return [(str(bucket), str(prefix), str(name)) for bucket, prefix, name in rows]

    def forget_gone(self, older: timedelta) -> int:
        """Forget names under which nothing has been for so long; returns how many."""
        with session(self.pool) as connection:
            return connection.execute(statement("objects", "forget_gone"), {"older": older}).rowcount

    def outcomes(self, places: Iterable[tuple[str, str]]) -> list[Outcome]:
        """What became of objects, for whoever put them there."""
        wanted = list(places)
        buckets, keys = [bucket for bucket, _ in wanted], [key for _, key in wanted]
        values = {"buckets": buckets, "keys": keys, "backend": self.backend}
        with session(self.pool) as connection:
            return [_outcome(row) for row in connection.execute(statement("objects", "outcomes"), values)]

    def _settle(
        self,
        object: int,
        checks: int,
        state: str,
        head: ObjectHead | None,
        code: str,
        error: str,
        sidecar: Sidecar | None = None,
    ) -> bool:
        values = {
            "id": object,
            "checks": checks,
            "state": state,
            "etag": head.etag if head else "",
            "size": head.size if head else None,
            "modified": head.modified if head else None,
            "code": code,
            "error": error[:1000].replace("\0", ""),
        }
        with transaction(self.pool) as connection:
            row = connection.execute(statement("objects", "settle"), values).fetchone()
            if row is not None:
                _, collection, old, bucket, key = row
                connection.execute(statement("objects", "drop_sidecars"), {"objects": [object]})
                if sidecar is not None:
                    _write_sidecars(connection, [(object, sidecar)])
                _touch(connection, [(collection, old)] if old is not None else [])
                if str(key).endswith(_TXT):
                    stem = str(key).removesuffix(_TXT)
                    connection.execute(statement("objects", "touch_beside"), {"bucket": bucket, "stem": stem})
            _end(connection, [(object, checks)])
        return row is not None


def note_in(connection: Connection, events: Sequence[ObjectEvent], priority: int = 0) -> int:
    """`PostgresObjects.note` as part of somebody's transaction."""
    if not events:
        return 0
    values = {
        "buckets": [event.bucket for event in events],
        "keys": [event.key for event in events],
        "events": [event.event_id for event in events],
        "priority": priority,
    }
    return len(connection.execute(statement("objects", "note"), values).fetchall())


def plan(
    connection: Connection, pairs: Sequence[tuple[int, int]], priorities: Sequence[int], only: Sequence[int] = ()
) -> list[int]:
    """Work for what has not been said of these (collection, image) pairs; returns the image of each piece of it.

    only: ids of models whose work it shall be; none: all in force.
    """
    values = {
        "collections": [pair[0] for pair in pairs],
        "images": [pair[1] for pair in pairs],
        "priorities": list(priorities),
        "only": list(only),
        "holding": [stage for stage, _ in needs()],
        "needed": [need for _, need in needs()],
    }
    rows = connection.execute(statement("objects", "plan_work"), values).fetchall()
    planned = [int(image) for image, claimed in rows if not claimed]
    hold(connection, {image for _, image in pairs} if planned else ())
    return planned


def _add_images(connection: Connection, found: Sequence[Found]) -> None:
    facts = [(each, each.facts) for each in found]
    new: list[tuple[Found, ImageFacts]] = [(each, fact) for each, fact in facts if fact is not None]
    if not new:
        return
    colours = [
        json.dumps([[c.name, "#{:02x}{:02x}{:02x}".format(*c.rgb), round(c.share, 4)] for c in fact.colours])
        for _, fact in new
    ]
    values = {
        "digests": [each.sha256 for each, _ in new],
        "bytes": [each.head.size for each, _ in new],
        "formats": [fact.format for _, fact in new],
        "widths": [fact.width for _, fact in new],
        "heights": [fact.height for _, fact in new],
        "frames": [fact.frames for _, fact in new],
        "hashes": [fact.phash for _, fact in new],
        "colours": colours,
        "notes": ["\n".join(fact.notes) for _, fact in new],
    }
    connection.execute(statement("objects", "add_images"), values)


def _link(connection: Connection, found: Sequence[Found]) -> list[tuple[int, int, int, int, int | None]]:
    values = {
        "ids": [each.object for each in found],
        "checks": [each.checks for each in found],
        "digests": [each.sha256 for each in found],
        "etags": [each.head.etag for each in found],
        "sizes": [each.head.size for each in found],
        "versions": [each.head.version for each in found],
        "metadata": [json.dumps(each.head.metadata) for each in found],
        "modified": [each.head.modified for each in found],
    }
    rows = connection.execute(statement("objects", "link"), values).fetchall()
    return sorted((int(row[0]), int(row[1]), int(row[2]), int(row[3]), row[4]) for row in rows)


def _put_sidecars(connection: Connection, found: Sequence[Found], linked: set[int]) -> None:
    connection.execute(statement("objects", "drop_sidecars"), {"objects": sorted(linked)})
    beside = [(each.object, each.sidecar) for each in found if each.object in linked]
    _write_sidecars(connection, [(object, sidecar) for object, sidecar in beside if sidecar is not None])


def _write_sidecars(connection: Connection, beside: Sequence[tuple[int, Sidecar]]) -> None:
    if beside:
        values = {
            "objects": [object for object, _ in beside],
            "sources": [sidecar.source for _, sidecar in beside],
            "tags": ["\n".join(sidecar.tags) for _, sidecar in beside],
        }
        connection.execute(statement("objects", "put_sidecars"), values)


def _touch(connection: Connection, pairs: Sequence[tuple[int, int | None]]) -> None:
    if pairs:
        values = {"collections": [pair[0] for pair in pairs], "images": [pair[1] for pair in pairs]}
        connection.execute(statement("objects", "touch_records"), values)


def _end(connection: Connection, answers: Sequence[tuple[int, int]]) -> None:
    values = {"ids": [object for object, _ in answers], "checks": [checks for _, checks in answers]}
    connection.execute(statement("objects", "end_ingest"), values)


def _outcome(row: Row) -> Outcome:
    """One word for what became of an object; "pending" as long as anything may still change by itself."""
    bucket, key, record, state, unchecked, known, status, behind, code, error, ingest, ingest_reason, stuck = row
    if ingest in ("failed", "quarantined"):
        return Outcome(bucket, key, record, "failed", ingest_reason)
    if unchecked:
        return Outcome(bucket, key, record, "pending", ingest_reason)
    if state == "refused":
        return Outcome(bucket, key, record, "refused", f"{code}: {error}")
    if state in ("gone", "sidecar"):
        return Outcome(bucket, key, record, "failed" if state == "gone" else "complete", state)
    if behind or (status != "complete" and stuck is None):
        return Outcome(bucket, key, record, "pending", "")
    if status == "complete":
        return Outcome(bucket, key, record, "known" if known else "complete", "")
    return Outcome(bucket, key, record, "partial" if status == "partial" else "failed", stuck or "")
