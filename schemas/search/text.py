"""The whole query, and its canonical text, which reads as the same tree again."""

import re
from dataclasses import dataclass

from schemas.search.fields import CONFIDENCE, FIELDS, NUMBERS, NumberField
from schemas.search.query import (
    All,
    AnyOf,
    Bare,
    Confidence,
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

_PLAIN = re.compile(r'[^\s",()]+(?:\([^\s",()]*\)[^\s",()]*)*')


@dataclass(frozen=True, slots=True)
class Query:
    """Nodes that must all hold (none: everything), and the order asked for. `str()` is its canonical text."""

    nodes: tuple[Node, ...] = ()
    order: Order = Order.NEWEST

    def __str__(self) -> str:
        parts = [node_text(node) for node in self.nodes]
        if self.order is not Order.NEWEST:
            parts.append(f"order:{self.order}")
        return " ".join(parts)


def node_text(node: Node) -> str:
    """The canonical text of one node, as it stands in a query."""
    if isinstance(node, Not):
        return "-" + node_text(node.node)
    if isinstance(node, All):
        return "(" + " ".join(map(node_text, node.nodes)) + ")"
    if isinstance(node, AnyOf):
        return "(" + " or ".join(map(node_text, node.nodes)) + ")"
    if isinstance(node, Bare):
        return node.name
    if isinstance(node, Text):
        return _quoted(node.text)
    return _field_text(node)


def _field_text(node: Tag | Wild | Confidence | Value | Number) -> str:
    if isinstance(node, Tag):
        return "tag:" + (_value(node.name) if "*" not in node.name else _quoted(node.name))
    if isinstance(node, Wild):
        return node.pattern if stands_alone(node.pattern.replace("*", "_")) else "tag:" + node.pattern
    if isinstance(node, Confidence):
        return f"ai:{_value(node.name)},{_span(CONFIDENCE, node.span)}"
    if isinstance(node, Value):
        return f"{node.field}:" + ",".join(map(_value, node.values))
    return f"{node.field}:" + ",".join(_span(NUMBERS[node.field], span) for span in node.spans)


def stands_alone(name: str) -> bool:
    """True when a tag's name can be written without `tag:` and quotes."""
    plain = _PLAIN.fullmatch(name) and name[0] not in "-~" and name not in ("or", "and") and "*" not in name
    return bool(plain) and name.partition(":")[0] not in FIELDS


def _value(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else _quoted(value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _span(field: NumberField, span: Span) -> str:
    if span.low is None:
        return ("<" if span.high_open else "<=") + field.write(span.high or 0)
    if span.high is None:
        return (">" if span.low_open else ">=") + field.write(span.low)
    if span.low == span.high:
        return field.write(span.low)
    return f"{field.write(span.low)}..{field.write(span.high)}"
