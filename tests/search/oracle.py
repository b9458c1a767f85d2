"""The oracle: search done slowly and plainly over documents in a list. It shares no code with any index."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from fnmatch import fnmatchcase

from schemas.document import Document
from schemas.search import Facet, FacetValue, Order, Query, Viewer
from schemas.search.facets import EXCLUSIVE, PEOPLE, SHARED
from schemas.search.fields import RATINGS, RESOLUTIONS
from schemas.search.query import All, AnyOf, Bare, Confidence, Node, Not, Number, Tag, Text, Value, Wild
from schemas.search.tokens import words


class Oracle:
    """Documents by record, the newest revision of each."""

    def __init__(self, documents: Iterable[Document], alias: Mapping[str, str] | None = None) -> None:
        self.kept: dict[int, Document] = {}
        self.alias = alias or {}
        for document in documents:
            known = self.kept.get(document.record)
            if known is None or document.revision >= known.revision:
                self.kept[document.record] = document

    def live(self) -> list[Document]:
        return [document for document in self.kept.values() if not document.deleted]

    def visible(self, viewer: Viewer) -> list[Document]:
        return [
            document
            for document in self.live()
            if (viewer.sees_held or document.visibility == "shown")
            and (viewer.collections is None or document.collection in viewer.collections)
        ]

    def hits(self, query: Query, viewer: Viewer) -> list[int]:
        """Matching records in the query's order."""
        found = [document for document in self.visible(viewer) if self._all(query.nodes, document)]
        key, falling = _ORDERS[query.order]
        found.sort(key=lambda document: (key(document), document.record), reverse=falling)
        return [document.record for document in found]

    def facet(self, query: Query, viewer: Viewer, name: str, size: int) -> Facet:
        """Counts of one facet over every match; its own choice ignored when its values exclude each other."""
        nodes = query.nodes
        if name in EXCLUSIVE:
            nodes = tuple(node for node in nodes if _field_of(node) != name)
        counts: Counter[str] = Counter()
        for document in self.visible(viewer):
            if self._all(nodes, document):
                counts.update(set(_values(document, name)))
        top = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:size]
        own = {"people": PEOPLE, "rating": RATINGS, "resolution": RESOLUTIONS}.get(name)
        if own:
            top.sort(key=lambda pair: own.index(pair[0]))
        return Facet(name, tuple(FacetValue(value, count) for value, count in top))

    def _all(self, nodes: Sequence[Node], document: Document) -> bool:
        return all(self._holds(node, document) for node in nodes)

    def _holds(self, node: Node, document: Document) -> bool:
        if isinstance(node, Not):
            return not self._holds(node.node, document)
        if isinstance(node, All):
            return self._all(node.nodes, document)
        if isinstance(node, AnyOf):
            return any(self._holds(inner, document) for inner in node.nodes)
        if isinstance(node, Bare):
            return self._bare(node.name, document)
        return self._leaf(node, document)

    def _bare(self, name: str, document: Document) -> bool:
        known = name in self.alias or any(tag.name == name for held in self.live() for tag in held.tags)
        if known or not words(name):
            return self._has(self.alias.get(name, name), document)
        return set(words(name)) <= set(document.words)

    @staticmethod
    def _has(name: str, document: Document) -> bool:
        return any(tag.name == name for tag in document.tags)

    def _leaf(self, node: Node, document: Document) -> bool:
        match node:
            case Tag(name):
                return self._has(self.alias.get(name, name), document)
            case Wild(pattern):
                plain = pattern.replace("[", "[[]").replace("?", "[?]")
                return any(fnmatchcase(tag.name, plain) for tag in document.tags)
            case Confidence(name, span):
                name = self.alias.get(name, name)
                return any(t.name == name and span.holds(round(t.confidence * 1000)) for t in document.tags)
            case Text():
                return set(node.words) <= set(document.words)
            case Value("sha", values):
                return any(document.sha256.startswith(value) for value in values)
            case Value(field, values):
                return bool(set(values) & set(_values(document, field)))
            case Number(field, spans):
                number = _NUMBERS[field](document)
                return number is not None and any(span.holds(number) for span in spans)
        raise AssertionError(node)


def _field_of(node: Node) -> str:
    inner = node.node if isinstance(node, Not) else node
    return inner.field if isinstance(inner, Value | Number) else ""


def _values(document: Document, field: str) -> list[str]:
    if field == "in":
        return [tag.category for tag in document.tags]
    if field in SHARED:
        return list({"object": document.objects, "colour": document.colours, "flag": document.flags}[field])
    if field == "people":
        return [] if document.people is None else ["3+" if document.people > 2 else str(document.people)]
    if field == "resolution":
        pixels = document.width * document.height
        return [RESOLUTIONS[(pixels >= 500_000) + (pixels >= 2_000_000) + (pixels >= 8_000_000)]]
    if field in EXCLUSIVE:
        value = getattr(document, field)
        return [str(value)] if value else []
    return [tag.name for tag in document.tags if tag.category == field]


_NUMBERS: Mapping[str, Callable[[Document], int | None]] = {
    "width": lambda d: d.width,
    "height": lambda d: d.height,
    "ratio": lambda d: (200 * d.width + d.height) // (2 * d.height),
    "mp": lambda d: d.width * d.height // 10_000,
    "size": lambda d: d.bytes,
    "people": lambda d: d.people,
    "id": lambda d: d.record,
    "date": lambda d: d.created_at.astimezone(UTC).toordinal(),
}
_ORDERS: Mapping[Order, tuple[Callable[[Document], float], bool]] = {
    Order.NEWEST: (lambda d: d.created_at.timestamp(), True),
    Order.OLDEST: (lambda d: d.created_at.timestamp(), False),
    Order.ID: (lambda d: d.record, False),
    Order.ID_DESC: (lambda d: d.record, True),
    Order.SIZE: (lambda d: d.bytes, True),
    Order.SIZE_ASC: (lambda d: d.bytes, False),
    Order.MP: (lambda d: d.width * d.height, True),
    Order.MP_ASC: (lambda d: d.width * d.height, False),
}
