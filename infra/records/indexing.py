"""The account of what the search index has got of the published records, on PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from infra.records.pool import Pool, long_transaction, session
from infra.records.sql import statement
from schemas.codec import record_from_json
from schemas.record import Record
from schemas.results import Floats

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Behind:
    """A record that the index is to be given. since: when the account of it was changed; `indexed` compares it."""

    record: Record
    phash: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """What the index should hold of one record. live: its image exists; waits: the index was not given it yet."""

    record: int
    revision: int
    live: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class PostgresIndexing:
    """The account of one index. backend: its kind; each kind has an account of its own."""

    pool: Pool
    backend: str

    def behind(self, limit: int) -> list[Behind]:
        """Published records that the index has not got yet, longest behind first."""
        return self._behind("behind", {"limit": limit})

    def behind_of(self, records: Sequence[int]) -> list[Behind]:
        """The same of certain records only."""
        return self._behind("behind_of", {"ids": list(records)})

    def _behind(self, query: str, values: Mapping[str, object]) -> list[Behind]:
        with session(self.pool) as connection:
            rows = connection.execute(statement("indexing", query), {"backend": self.backend, **values}).fetchall()
        return [Behind(record_from_json(document), int(phash), since) for document, phash, since in rows]

    def indexed(self, written: Sequence[Behind]) -> list[int]:
        """The index has what was read of these; returns the records of them that were erased meanwhile.

        What `adopt` or `again` said since they were read stands: those are given to the index once more.
        """
        ids = [each.record.id for each in written]
        revisions = [each.record.revision for each in written]
        since = [each.since for each in written]
        values = {"ids": ids, "revisions": revisions, "since": since, "backend": self.backend}
        with session(self.pool) as connection:
            known = {row[0] for row in connection.execute(statement("indexing", "indexed"), values).fetchall()}
        return [record for record in ids if record not in known]

    def adopt(self, *, anew: bool) -> int:
        """Give the index what it was never told of, or everything when it begins `anew`; returns how much that is."""
        with long_transaction(self.pool) as connection:
            connection.execute(statement("rules", "take_time"))
            return connection.execute(statement("indexing", "adopt"), {"backend": self.backend, "anew": anew}).rowcount

    def again(self, records: Sequence[int]) -> None:
        """Give the index these records once more."""
        with session(self.pool) as connection:
            connection.execute(statement("indexing", "again"), {"backend": self.backend, "ids": list(records)})

    def lag(self) -> tuple[int, timedelta]:
        """How many documents wait for the index, and how long the first of them has waited."""
        with session(self.pool) as connection:
            row = connection.execute(statement("indexing", "lag"), {"backend": self.backend}).fetchone()
        assert row is not None
        return int(row[0]), timedelta(seconds=row[1])

    def documents(self) -> Iterator[list[tuple[Record, int]]]:
        """Every published record with its perceptual hash, by id, in pages: each as it is when its page is read."""
        after = 0
        while True:
            with session(self.pool) as connection:
                values = {"after": after, "limit": _PAGE}
                rows = connection.execute(statement("indexing", "documents_after"), values).fetchall()
            if not rows:
                return
            page = [(record_from_json(document), int(phash)) for document, phash in rows]
            yield page
            after = page[-1][0].id

    def vectors(self, images: Sequence[int]) -> dict[int, tuple[tuple[int, Floats], ...]]:
        """(model, vector) pairs by image, for an index that searches vectors itself."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("indexing", "vectors"), {"images": list(images)}, binary=True)
            found: dict[int, list[tuple[int, Floats]]] = {}
            for image, model, vector in rows:
                found.setdefault(image, []).append((model, np.asarray(vector, np.float32)))
        return {image: tuple(pairs) for image, pairs in found.items()}

    def spaces(self) -> list[tuple[int, int]]:
        """(model, width) of every embedder that said something."""
        with session(self.pool) as connection:
            return [(int(model), int(width)) for model, width in connection.execute(statement("indexing", "spaces"))]

    def due(self, after: int, last: int | None) -> Iterator[Due]:
        """What the index should hold, of records above `after` and up to `last` (None: all), by record."""
        while True:
            values = {"backend": self.backend, "after": after, "last": last, "limit": _PAGE}
            with session(self.pool) as connection:
                rows = connection.execute(statement("indexing", "due"), values).fetchall()
            yield from (Due(*row) for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]
