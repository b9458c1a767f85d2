"""Editing a query by clicks: the query box is the state of the page, and a facet's click edits it."""

from dataclasses import replace
from enum import StrEnum

from schemas.search.facets import EXCLUSIVE
from schemas.search.query import Bare, Leaf, Node, Not, Number, Order, Tag, Value, every
from schemas.search.text import Query


class Selection(StrEnum):
    """What a query says about a term at its top level."""

    NONE = "none"
    INCLUDED = "included"
    EXCLUDED = "excluded"


def selection(query: Query, term: Leaf) -> Selection:
    """Whether the query includes or excludes a term, groups aside."""
    for node in query.nodes:
        if isinstance(node, Not):
            if _covers(node.node, term):
                return Selection.EXCLUDED
        elif _covers(node, term):
            return Selection.INCLUDED
    return Selection.NONE


def toggle(query: Query, term: Leaf) -> Query:
    """Include a term, or take it out again when it is included. It replaces its own exclusion.

    Values that exclude each other (rating, format …) join the field's list: `rating:general,sensitive`.
    """
    cleared = without(query, term)
    if selection(query, term) is Selection.INCLUDED:
        return cleared
    joined = _joined(cleared.nodes, term)
    return replace(cleared, nodes=every(joined if joined else (*cleared.nodes, term)))


def excluding(query: Query, term: Leaf) -> Query:
    """Exclude a term, or take the exclusion back when it is excluded. It replaces its own inclusion."""
    cleared = without(query, term)
    if selection(query, term) is Selection.EXCLUDED:
        return cleared
    return replace(cleared, nodes=every((*cleared.nodes, Not(term))))


def without(query: Query, term: Leaf) -> Query:
    """The query without a term, included or excluded; groups are left alone."""
    kept: list[Node] = []
    for node in query.nodes:
        inner = node.node if isinstance(node, Not) else node
        rest = _less(inner, term)
        if rest is not None:
            kept.append(Not(rest) if isinstance(node, Not) else rest)
    return replace(query, nodes=every(kept))


def with_order(query: Query, order: Order) -> Query:
    """The same query in another order."""
    return replace(query, order=order)


def _same(one: Node, other: Leaf) -> bool:
    if isinstance(one, Bare | Tag) and isinstance(other, Bare | Tag):
        return one.name == other.name
    return one == other


def _covers(node: Node, term: Leaf) -> bool:
    if isinstance(node, Value) and isinstance(term, Value):
        return node.field == term.field and set(term.values) <= set(node.values)
    if isinstance(node, Number) and isinstance(term, Number):
        return node.field == term.field and set(term.spans) <= set(node.spans)
    return _same(node, term)


def _less(node: Node, term: Leaf) -> Node | None:
    """A node without a term: itself when it does not hold it, None when nothing is left."""
    if not _covers(node, term):
        return node
    if isinstance(node, Value) and isinstance(term, Value):
        values = tuple(value for value in node.values if value not in term.values)
        return Value(node.field, values) if values else None
    if isinstance(node, Number) and isinstance(term, Number):
        spans = tuple(span for span in node.spans if span not in term.spans)
        return Number(node.field, spans) if spans else None
    return None


def _joined(nodes: tuple[Node, ...], term: Leaf) -> tuple[Node, ...] | None:
    """Nodes with the term joined to its field's list, or None when there is no list to join."""
    if not isinstance(term, Value | Number) or term.field not in EXCLUSIVE:
        return None
    for place, node in enumerate(nodes):
        joined: Node
        if isinstance(node, Value) and isinstance(term, Value) and node.field == term.field:
            joined = Value(node.field, (*node.values, *term.values))
        elif isinstance(node, Number) and isinstance(term, Number) and node.field == term.field:
            joined = Number(node.field, (*node.spans, *term.spans))
        else:
            continue
        return (*nodes[:place], joined, *nodes[place + 1 :])
    return None


def without_field(query: Query, field: str) -> Query:
    """The query without what it says about a field at its top level, included or excluded."""

    def about(node: Node) -> bool:
        inner = node.node if isinstance(node, Not) else node
        return isinstance(inner, Value | Number) and inner.field == field

    return replace(query, nodes=tuple(node for node in query.nodes if not about(node)))
