"""Compiles a settled query to a filter of OpenSearch's query language. Values stay values: nothing is parsed there."""

from collections.abc import Callable, Mapping, Sequence

from infra.search.opensearch.documents import STEP, bucket_token, exact_token
from schemas.search import Order, Query, Viewer, fold
from schemas.search.query import All, AnyOf, Bare, Confidence, Leaf, Node, Not, Number, Span, Tag, Text, Value, Wild

Filter = Mapping[str, object]
Wilds = Mapping[str, Sequence[str]]
"""The tags that each pattern stands for."""

EVERYTHING: Filter = {"match_all": {}}
LIVE: Filter = {"term": {"deleted": False}}
NOTHING: Filter = {"match_none": {}}
_TOP = 1000  # per mille
_NUMBERS = {"size": "bytes", "id": "record", "date": "day"}
ORDERS: Mapping[Order, tuple[str, bool]] = {
    Order.NEWEST: ("created", True),
    Order.OLDEST: ("created", False),
    Order.ID: ("record", False),
    Order.ID_DESC: ("record", True),
    Order.SIZE: ("bytes", True),
    Order.SIZE_ASC: ("bytes", False),
    Order.MP: ("pixels", True),
    Order.MP_ASC: ("pixels", False),
}
"""The field of each order and whether it falls; `record` decides ties."""


def scope(viewer: Viewer) -> Filter:
    """What a viewer may see."""
    parts = [LIVE]
    if not viewer.sees_held:
        parts.append({"term": {"visibility": "shown"}})
    if viewer.collections is not None:
        parts.append({"terms": {"collection": sorted(map(fold, viewer.collections))}})
    return every(parts)


def compile_query(query: Query, wilds: Wilds) -> Filter:
    """The filter of a settled query (it has no `Bare`)."""
    return _node(All(query.nodes), wilds)


def every(parts: Sequence[Filter]) -> Filter:
    """AND, without scores."""
    return {"bool": {"filter": list(parts)}} if parts else EVERYTHING


def _any(parts: Sequence[Filter]) -> Filter:
    if len(parts) == 1:
        return parts[0]
    return {"bool": {"should": list(parts), "minimum_should_match": 1}} if parts else NOTHING


def _node(node: Node, wilds: Wilds) -> Filter:
    if isinstance(node, Not):
        return {"bool": {"must_not": [_node(node.node, wilds)]}}
    if isinstance(node, All):
        return every([_node(inner, wilds) for inner in node.nodes])
    if isinstance(node, AnyOf):
        return _any([_node(inner, wilds) for inner in node.nodes])
    if isinstance(node, Wild):
        return {"terms": {"tag": list(wilds[node.pattern])}}
    return _LEAVES[type(node)](node)


def _tag(leaf: Tag) -> Filter:
    return {"term": {"tag": leaf.name}}


def _text(leaf: Text) -> Filter:
    return every([{"term": {"word": word}} for word in leaf.words])


def _value(leaf: Value) -> Filter:
    if leaf.field == "sha":
        return _any([{"prefix": {"sha256": value}} for value in leaf.values])
    return {"terms": {leaf.field: list(leaf.values)}}


def _number(leaf: Number) -> Filter:
    field = _NUMBERS.get(leaf.field, leaf.field)
    return _any([{"range": {field: _limits(span)}} for span in leaf.spans])


def _limits(span: Span) -> Mapping[str, int]:
    low, high = span.bounds()
    return {name: limit for name, limit in (("gte", low), ("lte", high)) if limit is not None}


def _confidence(leaf: Confidence) -> Filter:
    low, high = leaf.span.bounds()
    return {"terms": {"confidence": confidence_terms(leaf.name, max(0, low or 0), _TOP if high is None else high)}}


def confidence_terms(name: str, low: int, high: int) -> list[str]:
    """The terms of a tag's confidences from low to high (per mille): whole buckets, and single ones at the ends."""
    high = min(high, _TOP)
    first, after = -(-low // STEP), (high + 1) // STEP
    if high == _TOP:
        after = _TOP // STEP + 1  # the last bucket holds nothing but the top
    if first >= after:
        return [exact_token(name, held) for held in range(low, high + 1)]
    ends = (*range(low, first * STEP), *range(after * STEP, high + 1))
    whole = [bucket_token(name, bucket) for bucket in range(first, after)]
    return whole + [exact_token(name, held) for held in ends]


def _unsettled(leaf: Leaf) -> Filter:
    raise TypeError(f"{leaf!r} has to be settled before it is compiled")


_LEAVES: Mapping[type[Leaf], Callable[..., Filter]] = {
    Tag: _tag,
    Text: _text,
    Value: _value,
    Number: _number,
    Confidence: _confidence,
    Bare: _unsettled,
}
