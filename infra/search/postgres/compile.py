"""Compiles a settled query to a condition on `search_document`: the one module that composes SQL (`d` is a row).

Values never become part of the text: each is a parameter. Every condition is true or false, never NULL, so that
NOT means the rest. Indexes: search_document_terms and _words for `@>` and `&&`, the primary key for id, _created
for date, _bytes for size, _sha256 for sha.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from schemas.search.query import (
    All,
    AnyOf,
    Bare,
    Confidence,
    Leaf,
    Node,
    Not,
    Number,
    Order,
    Span,
    Tag,
    Text,
    Value,
    Wild,
)
from schemas.search.text import Query

Part = sql.Composable
_TRUE, _FALSE = sql.SQL("true"), sql.SQL("false")
_DAY = "('0001-01-01'::date + ({} - 1)::integer)::timestamp AT TIME ZONE 'UTC'"
_COLUMNS = {
    "width": "d.width",
    "height": "d.height",
    "ratio": "(200 * d.width::bigint + d.height) / (2 * d.height::bigint)",
    "mp": "d.pixels / 10000",
    "size": "d.bytes",
    "people": "coalesce(d.people, -1)",
    "id": "d.record",
}
ORDERS: Mapping[Order, tuple[str, bool]] = {
    Order.NEWEST: ("created_at", True),
    Order.OLDEST: ("created_at", False),
    Order.ID: ("record", False),
    Order.ID_DESC: ("record", True),
    Order.SIZE: ("bytes", True),
    Order.SIZE_ASC: ("bytes", False),
    Order.MP: ("pixels", True),
    Order.MP_ASC: ("pixels", False),
}
"""The column of each order and whether it falls; each has an index with record behind it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A query's names as `search_term` ids: tags by name, (field, name) of other fields, tags by pattern."""

    tags: Mapping[str, Sequence[int]]
    values: Mapping[tuple[str, str], int]
    wild: Mapping[str, Sequence[int]]

    def ids(self, leaf: Leaf) -> Sequence[int]:
        """The ids of which a document must have one; none when the index does not know the name."""
        if isinstance(leaf, Tag | Confidence):
            return self.tags.get(leaf.name, ())
        if isinstance(leaf, Wild):
            return self.wild.get(leaf.pattern, ())
        if isinstance(leaf, Value):
            found = (self.values.get((leaf.field, value)) for value in leaf.values)
            return [number for number in found if number is not None]
        raise TypeError(f"{leaf!r} stands for no terms")


@dataclass(slots=True)
class Condition:
    """A composed condition and its parameters."""

    where: Part = field(default_factory=lambda: _TRUE)
    parameters: dict[str, object] = field(default_factory=dict)

    def value(self, value: object) -> Part:
        """A placeholder for a value."""
        name = f"q{len(self.parameters)}"
        self.parameters[name] = value
        return sql.Placeholder(name)


def compile_query(query: Query, terms: Terms) -> Condition:
    """The condition of a settled query (it has no `Bare`)."""
    condition = Condition()
    condition.where = _all(query.nodes, terms, condition)
    return condition


def _node(node: Node, terms: Terms, to: Condition) -> Part:
    if isinstance(node, Not):
        return sql.SQL("NOT ({})").format(_node(node.node, terms, to))
    if isinstance(node, All):
        return _all(node.nodes, terms, to)
    if isinstance(node, AnyOf):
        return _joined(" OR ", [_node(inner, terms, to) for inner in node.nodes])
    return _leaf(node, terms, to)


def _all(nodes: Sequence[Node], terms: Terms, to: Condition) -> Part:
    """AND; what stands for exactly one term is gathered, so that one index scan intersects them."""
    gathered: list[int] = []
    others: list[Part] = []
    for node in nodes:
        if isinstance(node, Tag | Value) and getattr(node, "field", "") != "sha" and len(terms.ids(node)) == 1:
            gathered.extend(terms.ids(node))
        else:
            others.append(_node(node, terms, to))
    first = [sql.SQL("d.terms @> {}::integer[]").format(to.value(gathered))] if gathered else []
    return _joined(" AND ", [*first, *others]) if first or others else _TRUE


def _joined(word: str, parts: Sequence[Part]) -> Part:
    return sql.SQL("({})").format(sql.SQL(word).join(parts))


def _leaf(leaf: Leaf, terms: Terms, to: Condition) -> Part:
    readers: Mapping[type, Callable[..., Part]] = {Confidence: _confidence, Number: _number, Text: _text}
    if isinstance(leaf, Bare):
        raise TypeError(f"{leaf!r} has to be settled before it is compiled")
    if isinstance(leaf, Value) and leaf.field == "sha":
        return _sha(leaf, to)
    if type(leaf) in readers:
        return readers[type(leaf)](leaf, terms, to)
    return _terms(terms.ids(leaf), to)


def _terms(ids: Sequence[int], to: Condition) -> Part:
    if not ids:
        return _FALSE
    sign = "@>" if len(ids) == 1 else "&&"
    return sql.SQL(f"d.terms {sign} {{}}::integer[]").format(to.value(list(ids)))


def _text(leaf: Text, _terms: Terms, to: Condition) -> Part:
    return sql.SQL('d.words @> {}::text[] COLLATE "C"').format(to.value(list(leaf.words)))


def _sha(leaf: Value, to: Condition) -> Part:
    """By the beginning: hexadecimal digits all sort before "g" in the column's C collation."""
    one = sql.SQL("(d.sha256 >= {} AND d.sha256 < {})")
    return _joined(" OR ", [one.format(to.value(value), to.value(value + "g")) for value in leaf.values])


def _confidence(leaf: Confidence, terms: Terms, to: Condition) -> Part:
    parts = []
    for number in terms.ids(leaf):
        held = sql.SQL("d.confidences[array_position(d.terms, {}::integer)]").format(to.value(number))
        parts.append(_joined(" AND ", [_terms_of(number, to), _span(held, leaf.span, to)]))
    return _joined(" OR ", parts) if parts else _FALSE


def _terms_of(number: int, to: Condition) -> Part:
    return _terms([number], to)


def _number(leaf: Number, _terms: Terms, to: Condition) -> Part:
    if leaf.field == "date":
        return _joined(" OR ", [_date(span, to) for span in leaf.spans])
    column = sql.SQL(_COLUMNS[leaf.field])
    parts = [_span(column, span, to) for span in leaf.spans]
    known = [sql.SQL("d.people IS NOT NULL")] if leaf.field == "people" else []
    return _joined(" AND ", [*known, _joined(" OR ", parts)])


def _span(column: Part, span: Span, to: Condition) -> Part:
    low, high = span.bounds()
    parts = []
    if low is not None:
        parts.append(sql.SQL("{} >= {}::bigint").format(column, to.value(low)))
    if high is not None:
        parts.append(sql.SQL("{} <= {}::bigint").format(column, to.value(high)))
    return _joined(" AND ", parts) if parts else _TRUE


def _date(span: Span, to: Condition) -> Part:
    low, high = span.bounds()
    parts = []
    if low is not None:
        parts.append(sql.SQL("d.created_at >= " + _DAY).format(to.value(low)))
    if high is not None:
        parts.append(sql.SQL("d.created_at < " + _DAY).format(to.value(high + 1)))
    return _joined(" AND ", parts) if parts else _TRUE
