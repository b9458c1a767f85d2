"""Counting facets: from the counters when nothing is asked, over the matches else, over a sample when they are many."""

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from psycopg import sql

from infra.records.pool import Connection, Row
from infra.records.sql import statement
from infra.search.asking import by_query, check_facets, facet_of
from infra.search.postgres.paging import probe
from infra.search.postgres.prepared import Prepared, prepare, scope_of
from infra.search.postgres.tally import Counted, Tally
from schemas.search import EXCLUSIVE, SHARED, Alias, FacetPage, Query, Viewer

_SAMPLE = 10_000  # matches in a sample: what one in ten has is known to about 3 %, one in a hundred to 10 %


def dictionary_field(facet: str) -> str:
    """The dictionary's field of a facet."""
    return facet if facet in EXCLUSIVE or facet in SHARED else "tag:" + facet


class FacetCounter:
    """Counts for one viewer over one connection."""

    def __init__(self, connection: Connection, viewer: Viewer, alias: Alias, tally: Tally, sample_above: int) -> None:
        self._connection = connection
        self._viewer = viewer
        self._alias = alias
        self._tally = tally
        self._sample_above = sample_above
        self._sampled: list[int] = []

    def page(self, query: Query, names: Sequence[str], size: int, began: float) -> FacetPage:
        """The facets asked for. `began` is the `perf_counter` when the request came."""
        check_facets(names, size, self._viewer)
        values: Counted = {}
        for own, members in by_query(query, names).items():
            fields = [dictionary_field(name) for name in members]
            counted = self._count(own, fields, size)
            values |= {name: counted.get(dictionary_field(name), []) for name in members}
        facets = tuple(facet_of(name, values[name]) for name in names)
        took = timedelta(seconds=time.perf_counter() - began)
        return FacetPage(facets, min(self._sampled) if self._sampled else None, took)

    def _count(self, query: Query, fields: list[str], size: int) -> Counted:
        prepared = prepare(self._connection, query, self._viewer, self._alias)
        if not prepared.query.nodes:
            asked = {"fields": fields, "size": size, **scope_of(self._viewer)}
            return _by_field(self._connection.execute(statement("search", "all_facets"), asked))
        about = prepared.most
        if about > self._sample_above:
            about = probe(self._connection, prepared)
        if about <= self._sample_above:
            matches, packed = self._packed(prepared, 100.0)
            if matches <= self._sample_above:
                return self._tally.count(self._connection, packed, fields, size)
        return self._sample(prepared, fields, size, max(about, self._sample_above))

    def _sample(self, prepared: Prepared, fields: list[str], size: int, about: int) -> Counted:
        percent = 100.0 * min(_SAMPLE, self._sample_above / 2) / about
        matches, packed = self._packed(prepared, percent)
        self._sampled.append(matches)
        counted = self._tally.count(self._connection, packed, fields, size)
        return {
            field: [(name, round(count * 100 / percent)) for name, count in values] for field, values in counted.items()
        }

    def _packed(self, prepared: Prepared, percent: float) -> tuple[int, bytes]:
        """How many matches there are, and their terms; at most one more than are counted exactly."""
        sampled = percent < 100
        query = sql.SQL(statement("search", "facets_of_match")).format(
            sample=sql.SQL("TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (17)" if sampled else ""),
            scope=prepared.scope,
            where=prepared.condition.where,
        )
        most = None if sampled else self._sample_above + 1
        asked = {**prepared.condition.parameters, "most": most, "percent": percent}
        row = self._connection.execute(query, asked, prepare=False, binary=True).fetchone()
        return (int(row[0]), row[1] or b"") if row else (0, b"")


def _by_field(rows: Iterable[Row]) -> Counted:
    counted: Counted = {}
    for field, name, count in rows:
        counted.setdefault(field, []).append((name, count))
    return counted
