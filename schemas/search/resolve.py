"""What a query means in one index: aliases applied, bare words settled, and what a viewer may ask."""

from collections.abc import Callable
from dataclasses import replace

from schemas.errors import QueryError
from schemas.search.facets import MODERATORS_ONLY
from schemas.search.index import Alias, Viewer
from schemas.search.query import (
    MAX_WILD,
    All,
    AnyOf,
    Bare,
    Confidence,
    Leaf,
    Node,
    Not,
    Tag,
    Text,
    Value,
    both,
    either,
    every,
    leaves,
    negate,
)
from schemas.search.text import Query
from schemas.search.tokens import plain


def check_viewer(query: Query, viewer: Viewer) -> None:
    """QueryError when the viewer may not search by a field that the query uses."""
    if viewer.sees_held:
        return
    for leaf in leaves(query.nodes):
        if isinstance(leaf, Value) and leaf.field in MODERATORS_ONLY:
            raise QueryError(f"{leaf.field}: is for moderators: sign in as one, or leave it out")


def canonical(query: Query, alias: Alias) -> Query:
    """Aliases applied. A bare word that has an alias is a tag."""

    def rename(leaf: Leaf) -> Leaf:
        if isinstance(leaf, Tag | Confidence):
            return replace(leaf, name=alias(leaf.name))
        if isinstance(leaf, Bare) and alias(leaf.name) != leaf.name:
            return Tag(alias(leaf.name))
        return leaf

    return _mapped(query, rename)


def settle(query: Query, known: Callable[[str], bool]) -> Query:
    """Every bare word as a tag when it is known, else as words of the text (a tag nobody has, if it has none)."""

    def decide(leaf: Leaf) -> Leaf:
        if not isinstance(leaf, Bare):
            return leaf
        text = plain(leaf.name)
        return Tag(leaf.name) if known(leaf.name) or not text else Text(text)

    return _mapped(query, decide)


def check_wild(pattern: str, count: int) -> None:
    """QueryError when a pattern stands for too many tags: cutting it short would hide matches."""
    if count > MAX_WILD:
        raise QueryError(f"{pattern} stands for {count} tags, at most {MAX_WILD} are taken: write more letters")


def _mapped(query: Query, change: Callable[[Leaf], Leaf]) -> Query:
    def walk(node: Node) -> Node:
        if isinstance(node, Not):
            return negate(walk(node.node))
        if isinstance(node, All):
            return both(map(walk, node.nodes))
        if isinstance(node, AnyOf):
            return either(map(walk, node.nodes))
        return change(node)

    return replace(query, nodes=every(map(walk, query.nodes)))
