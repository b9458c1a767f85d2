"""The parts of a parsed query: a tree of frozen terms that every index understands, and its normal form."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from schemas.search.tokens import words

MAX_LENGTH = 2000  # characters
MAX_TERMS = 60  # terms and listed values
MAX_DEPTH = 8  # groups inside groups
MAX_WILD = 200  # tags that one wildcard may stand for


class Order(StrEnum):
    """In which order hits come. Ties always go by record, in the same direction."""

    NEWEST = "newest"
    OLDEST = "oldest"
    ID = "id"
    ID_DESC = "id_desc"
    SIZE = "size"  # most bytes first
    SIZE_ASC = "size_asc"
    MP = "mp"  # most pixels first
    MP_ASC = "mp_asc"


@dataclass(frozen=True, slots=True)
class Bare:
    """A word without a field: a tag when some live document of the index has it, else words of the text."""

    name: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag by its exact name, in any category."""

    name: str


@dataclass(frozen=True, slots=True)
class Wild:
    """Any tag whose name fits the pattern; `*` stands for any characters, none included."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Text:
    """All words of this text (made `plain`) occur in keys or captions, in whatever order."""

    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """What to look for."""
        return words(self.text)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole numbers from `low` to `high`; None is no limit; an open end does not include its limit."""

    low: int | None = None
    high: int | None = None
    low_open: bool = False
    high_open: bool = False

    def bounds(self) -> tuple[int | None, int | None]:
        """Smallest and largest number inside, both included; None is no limit."""
        low = None if self.low is None else self.low + self.low_open
        high = None if self.high is None else self.high - self.high_open
        return low, high

    def holds(self, value: int) -> bool:
        """True when the number is inside."""
        low, high = self.bounds()
        return (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True, slots=True)
class Confidence:
    """A tag whose confidence, rounded to whole per mille (`per_mille`), is inside the span."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Value:
    """A keyword field has at least one of these values. `sha` compares beginnings, all others whole names."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number field is inside at least one span. Units are those of `schemas.search.fields`."""

    field: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a node."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class All:
    """Every node holds."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one node holds."""

    nodes: tuple["Node", ...]


Leaf = Bare | Tag | Wild | Text | Confidence | Value | Number
Node = Leaf | Not | All | AnyOf


def every(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Nodes joined by AND in normal form: nested ones unfolded, repetitions dropped."""
    flat = (inner for node in nodes for inner in (node.nodes if isinstance(node, All) else (node,)))
    return tuple(dict.fromkeys(flat))


def both(nodes: Iterable[Node]) -> Node:
    """AND as one node; a single node stays itself."""
    flat = every(nodes)
    return flat[0] if len(flat) == 1 else All(flat)


def either(nodes: Iterable[Node]) -> Node:
    """OR as one node in normal form; a single node stays itself."""
    flat = dict.fromkeys(inner for node in nodes for inner in (node.nodes if isinstance(node, AnyOf) else (node,)))
    return next(iter(flat)) if len(flat) == 1 else AnyOf(tuple(flat))


def negate(node: Node) -> Node:
    """NOT in normal form: twice is not at all."""
    return node.node if isinstance(node, Not) else Not(node)


def leaves(nodes: Iterable[Node]) -> Iterator[Leaf]:
    """Every term of a tree, in the order of its text."""
    for node in nodes:
        if isinstance(node, Not):
            yield from leaves((node.node,))
        elif isinstance(node, All | AnyOf):
            yield from leaves(node.nodes)
        else:
            yield node


def per_mille(confidence: float) -> int:
    """A confidence in [0, 1] as the whole per mille that indexes store and compare."""
    return min(1000, max(0, round(confidence * 1000)))
