"""Finding one page of hits: all matches first when they are few, a walk in their order when they are many."""

import time
from collections.abc import Sequence
from datetime import timedelta

from psycopg import sql

from infra.records.pool import Connection, Row
from infra.records.sql import statement
from infra.search.asking import check_limit
from infra.search.cursor import Cursor, read_cursor
from infra.search.postgres.compile import ORDERS
from infra.search.postgres.prepared import Prepared
from infra.search.postgres.tally import Tally
from schemas.record import Status, Visibility
from schemas.search import HIT_TAGS, Hit, HitPage, SearchRequest

FEW = 10_000  # matches that are found and counted in about 30 ms
DEEPEST = 20_000  # documents that a walk looks at before it gives up
_UNTOLD = ("tag:rating", "tag:meta")  # say little to who cannot see the picture
_PROBED = 4_000  # documents that an estimate looks at: a tenth of them matching is known to about 5 %


def probe(connection: Connection, prepared: Prepared, wanted: int = _PROBED) -> int:
    """An estimate of the number of matches."""
    if prepared.exact is not None:
        return prepared.exact
    percent = min(100.0, 100.0 * wanted / max(1, prepared.all))
    query = sql.SQL(statement("search", "probe")).format(scope=prepared.scope, where=prepared.condition.where)
    row = connection.execute(query, {**prepared.condition.parameters, "percent": percent}, prepare=False).fetchone()
    return min(prepared.most, round(row[0] * 100 / percent)) if row else 0


class HitFinder:
    """Runs one prepared query."""

    def __init__(self, connection: Connection, prepared: Prepared, tally: Tally) -> None:
        self._connection = connection
        self._prepared = prepared
        self._tally = tally

    def page(self, request: SearchRequest, began: float) -> HitPage:
        """One page. `began` is the `perf_counter` when the request came."""
        check_limit(request.limit)
        order = request.query.order
        cursor = read_cursor(request.after, order) if request.after else None
        about = self._prepared.most if self._prepared.most <= FEW else probe(self._connection, self._prepared)
        total, exact, rows = about, self._prepared.exact is not None, None
        if about > FEW:
            rows = self._walk(request, cursor, about)
        if rows is None:
            rows = self._run("hits_of_few", request, cursor, {})
            total, exact = int(rows[0][0]), True
            rows = rows if rows[0][1] is not None else []
        shown, more = rows[: request.limit], len(rows) > request.limit
        after = Cursor(order, shown[-1][1], shown[-1][2]).text() if more else ""
        hits = tuple(hit_of(row, surest(row[-2], row[-1], self._tally, self._connection)) for row in shown)
        took = timedelta(seconds=time.perf_counter() - began)
        return HitPage(total if exact else rounded(total), exact, hits, after, took)

    def _walk(self, request: SearchRequest, cursor: Cursor | None, about: int) -> list[Row] | None:
        """The page by walking, or None when the walk did not fill it."""
        depth = min(DEEPEST, 4 * (request.limit + 1) * self._prepared.all // max(1, about) + 100)
        rows = self._run("hits_of_many", request, cursor, {"depth": depth})
        return rows if len(rows) > request.limit else None

    def _run(self, name: str, request: SearchRequest, cursor: Cursor | None, extra: dict[str, int]) -> list[Row]:
        column, falling = ORDERS[request.query.order]
        prepared = self._prepared
        query = sql.SQL(statement("search", name)).format(
            scope=prepared.scope,
            where=prepared.condition.where,
            key=sql.Identifier(column),
            direction=sql.SQL("DESC" if falling else "ASC"),
            after=_after(cursor, "key" if name == "hits_of_few" else "d." + column, name, falling),
        )
        parameters = {**prepared.condition.parameters, **extra, "limit": request.limit + 1}
        if cursor is not None:
            parameters |= {"after_key": cursor.key, "after_record": cursor.record}
        return self._connection.execute(query, parameters, prepare=False).fetchall()


def rounded(count: int) -> int:
    """An estimate as people say it: two digits, zeros behind."""
    return int(float(f"{count:.2g}"))


def _after(cursor: Cursor | None, key: str, name: str, falling: bool) -> sql.Composable:
    if cursor is None:
        return sql.SQL("true")
    record = "record" if name == "hits_of_few" else "d.record"
    sign = "<" if falling else ">"
    return sql.SQL(f"({key}, {record}) {sign} (%(after_key)s, %(after_record)s)")


def surest(terms: Sequence[int], confidences: Sequence[int], tally: Tally, connection: Connection) -> tuple[str, ...]:
    """A hit's surest tags by name, from the copy of the dictionary."""
    named = zip(confidences, tally.named(connection, terms), strict=True)
    told = [(-confidence, name) for confidence, (field, name) in named if field not in _UNTOLD]
    return tuple(dict.fromkeys(name for _, name in sorted(told)))[:HIT_TAGS]


def hit_of(row: Sequence[object], tags: tuple[str, ...]) -> Hit:
    """A hit from a row of one of the queries that find some: its first two columns are the query's own."""
    _, _, record, collection, sha256, width, height, form, rating, status, visibility, created_at, _, _ = row
    return Hit(  # the columns' types are the schema's
        record=record,  # type: ignore[arg-type]
        collection=collection,  # type: ignore[arg-type]
        sha256=sha256,  # type: ignore[arg-type]
        width=width,  # type: ignore[arg-type]
        height=height,  # type: ignore[arg-type]
        format=form,  # type: ignore[arg-type]
        rating=rating,  # type: ignore[arg-type]
        status=Status(str(status)),
        visibility=Visibility(str(visibility)),
        created_at=created_at,  # type: ignore[arg-type]
        tags=tags,
    )
