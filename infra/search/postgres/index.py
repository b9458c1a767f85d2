"""The search index on PostgreSQL: how a request becomes statements, and which way of running it is chosen."""

import time
from collections.abc import Sequence
from datetime import timedelta

from infra.records.pool import Pool, session, transaction
from infra.records.sql import statement
from infra.search.asking import itself
from infra.search.batch import newest_of_each, outcomes
from infra.search.postgres.counting import FacetCounter
from infra.search.postgres.paging import HitFinder
from infra.search.postgres.prepared import prepare, scope_of
from infra.search.postgres.tally import Tally
from infra.search.postgres.writing import Name, all_names, columns, named
from schemas.document import Document
from schemas.search import (
    Alias,
    FacetPage,
    HitPage,
    SearchRequest,
    Suggestion,
    Viewer,
    WriteOutcome,
    fold,
)

_WRITERS = 0x6E617365  # the advisory lock of those who write documents


class PostgresSearch:
    """Search over a pool. sample_above: facets of more matches than this are estimated from a sample."""

    def __init__(self, pool: Pool, alias: Alias = itself, *, sample_above: int = 20_000) -> None:
        self._pool = pool
        self._alias = alias
        self._sample_above = sample_above
        self._ids: dict[Name, int] = {}  # ids never change: the dictionary only grows
        self._tally = Tally()

    def prepare(self) -> bool:
        """Its tables come with the database, and what is missing in them is found by revision."""
        return False

    def filled(self) -> None:
        """See the port."""

    def write(self, documents: Sequence[Document], *, at_once: bool = True) -> list[WriteOutcome]:
        """Take documents in, one statement a batch, visible at once. TransientError when the server is away."""
        if not documents:
            return []
        newest = newest_of_each(documents)
        described = [named(document) for document in newest]
        names = all_names(described)
        with transaction(self._pool) as connection:
            connection.execute(statement("search", "writers_turn"), {"key": _WRITERS})
            missing = sorted(names - self._ids.keys())
            found: dict[Name, int] = {}
            if missing:
                asked = {"fields": [field for field, _ in missing], "names": [name for _, name in missing]}
                connection.execute(statement("search", "new_terms"), asked)
                rows = connection.execute(statement("search", "term_ids"), asked)
                found = {(field, name): number for field, name, number in rows}
            batch = columns(described, self._ids | found if found else self._ids)
            written = {record for (record,) in connection.execute(statement("search", "write"), batch)}
        self._ids.update(found)
        became = {
            document.record: WriteOutcome.WRITTEN if document.record in written else WriteOutcome.STALE
            for document in newest
        }
        return outcomes(documents, newest, became)

    def hits(self, request: SearchRequest) -> HitPage:
        """One page of hits, by the way that the counters call for."""
        began = time.perf_counter()
        with session(self._pool) as connection:
            prepared = prepare(connection, request.query, request.viewer, self._alias)
            return HitFinder(connection, prepared, self._tally).page(request, began)

    def facets(self, request: SearchRequest, names: Sequence[str], size: int) -> FacetPage:
        """Counts over all matches, from a sample when they are many."""
        began = time.perf_counter()
        with session(self._pool) as connection:
            counter = FacetCounter(connection, request.viewer, self._alias, self._tally, self._sample_above)
            return counter.page(request.query, names, size, began)

    def suggest(self, typed: str, limit: int, viewer: Viewer) -> tuple[Suggestion, ...]:
        """Tags by the beginning of their name or of a word in it."""
        start = fold(typed)
        if not start:
            return ()
        like = start.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        asked = {"start": like, "word": "%\\_" + like, "inner": "%(" + like, "limit": limit, **scope_of(viewer)}
        with session(self._pool) as connection:
            rows = connection.execute(statement("search", "suggest"), asked)
            return tuple(Suggestion(name, category, count) for name, category, count in rows)

    def count(self) -> int:
        """Live documents, from the counters."""
        with session(self._pool) as connection:
            row = connection.execute(statement("search", "count")).fetchone()
            return int(row[0]) if row else 0

    def revisions(self, after: int, limit: int) -> list[tuple[int, int]]:
        """See the port."""
        with session(self._pool) as connection:
            rows = connection.execute(statement("search", "revisions"), {"after": after, "limit": limit})
            return [(int(record), int(revision)) for record, revision in rows]

    def forget(self, records: Sequence[int]) -> None:
        """See the port."""
        with transaction(self._pool) as connection:
            connection.execute(statement("search", "writers_turn"), {"key": _WRITERS})
            connection.execute(statement("search", "forget"), {"records": list(records)})

    def purge(self, older: timedelta) -> int:
        """Forget old tombstones."""
        with session(self._pool) as connection:
            return connection.execute(statement("search", "purge"), {"older": older}).rowcount

    def truncate(self) -> None:
        """Forget every document; ids of names stay."""
        with transaction(self._pool) as connection:
            connection.execute(statement("search", "writers_turn"), {"key": _WRITERS})
            connection.execute(statement("search", "truncate"))
