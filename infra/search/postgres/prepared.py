"""A query made ready for one viewer: names looked up, bare words settled, the condition, and how much can match."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from infra.records.pool import Connection
from infra.records.sql import statement
from infra.search.postgres.compile import Condition, Terms, compile_query
from schemas.record import Status
from schemas.search import Alias, Query, Viewer
from schemas.search.query import (
    All,
    AnyOf,
    Bare,
    Confidence,
    Node,
    Tag,
    Value,
    Wild,
    leaves,
)
from schemas.search.resolve import canonical, check_viewer, check_wild, settle


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is needed to run a query. all: documents the viewer may see; most: a bound no match can exceed.

    exact: the number of matches when the counters know it, else None.
    """

    query: Query
    condition: Condition
    scope: sql.Composable
    all: int
    most: int
    exact: int | None


def scope_of(viewer: Viewer) -> dict[str, object]:
    """A viewer as the counters' parameters."""
    collections = None if viewer.collections is None else sorted(viewer.collections)
    return {"held": viewer.sees_held, "collections": collections}


def prepare(connection: Connection, query: Query, viewer: Viewer, alias: Alias) -> Prepared:
    """Look a query's names up and compile it. QueryError when the viewer may not ask it."""
    check_viewer(query, viewer)
    renamed = canonical(query, alias)
    names = _Names(connection, renamed, viewer)
    settled = settle(renamed, names.known)
    condition = compile_query(settled, names.terms)
    everything = names.everything
    most = min([everything, *(names.most(node) for node in settled.nodes)])
    scope = _scope(viewer, names.terms, condition)
    return Prepared(settled, condition, scope, everything, most, names.exact(settled))


def _scope(viewer: Viewer, terms: Terms, condition: Condition) -> sql.Composable:
    parts: list[sql.Composable] = [sql.SQL("NOT d.deleted" if viewer.sees_held else "NOT d.deleted AND d.shown")]
    if viewer.collections is not None:
        ids = [terms.values.get(("collection", name)) for name in viewer.collections]
        known = condition.value([number for number in ids if number is not None])
        parts.append(sql.SQL("d.collection = ANY ({}::integer[])").format(known))
    return sql.SQL("({})").format(sql.SQL(" AND ").join(parts))


class _Names:
    """The dictionary's answers about one query's names."""

    def __init__(self, connection: Connection, query: Query, viewer: Viewer) -> None:
        wanted: set[str] = {*Status, *(viewer.collections or ())}
        patterns: set[str] = set()
        for leaf in leaves(query.nodes):
            if isinstance(leaf, Bare | Tag | Confidence):
                wanted.add(leaf.name)
            elif isinstance(leaf, Value) and leaf.field != "sha":
                wanted.update(leaf.values)
            elif isinstance(leaf, Wild):
                patterns.add(leaf.pattern)
        self._seen: dict[int, int] = {}
        self._tags: dict[str, list[int]] = {}
        self._values: dict[tuple[str, str], int] = {}
        parameters = {**scope_of(viewer), "names": sorted(wanted)}
        for number, field, name, _live, seen in connection.execute(statement("search", "look_up"), parameters):
            self._seen[number] = seen
            if field.startswith("tag:"):
                self._tags.setdefault(name, []).append(number)
            else:
                self._values[field, name] = number
        wild = {pattern: _fitting(connection, pattern, self._seen) for pattern in sorted(patterns)}
        self.terms = Terms(self._tags, self._values, wild)
        self.everything = sum(self._count("status", status) for status in Status)

    def known(self, name: str) -> bool:
        return name in self._tags

    def most(self, node: Node) -> int:
        """At most so many documents match."""
        if isinstance(node, Tag | Wild | Confidence) or (isinstance(node, Value) and node.field != "sha"):
            return min(self.everything, sum(self._seen[number] for number in self.terms.ids(node)))
        if isinstance(node, All):
            return min(self.most(inner) for inner in node.nodes)
        if isinstance(node, AnyOf):
            return min(self.everything, sum(self.most(inner) for inner in node.nodes))
        return self.everything

    def exact(self, query: Query) -> int | None:
        """The number of matches of no term at all, or of one that stands for one name at most."""
        if not query.nodes:
            return self.everything
        node = query.nodes[0]
        one = isinstance(node, Tag) or (isinstance(node, Value) and node.field != "sha")
        return self.most(node) if len(query.nodes) == 1 and one and self._single(node) else None

    def _single(self, node: Node) -> bool:
        return isinstance(node, Tag | Value) and len(self.terms.ids(node)) <= 1

    def _count(self, field: str, name: str) -> int:
        number = self._values.get((field, name))
        return 0 if number is None else self._seen[number]


def _fitting(connection: Connection, pattern: str, seen: dict[int, int]) -> Sequence[int]:
    """Ids of the tags that fit a pattern; notes how often each is there. QueryError when they are too many."""
    like = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    rows = connection.execute(statement("search", "wild"), {"pattern": like}).fetchall()
    check_wild(pattern, len({name for _, name, _ in rows}))
    seen.update({number: live for number, _, live in rows if number not in seen})
    return [number for number, _, _ in rows]
