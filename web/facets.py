"""Facets as the page shows them: in which order, what each row's clicks lead to, and the query's terms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from schemas.search import (
    MODERATORS_ONLY,
    Facet,
    Query,
    SearchIndex,
    SearchRequest,
    Selection,
    excluding,
    facet_term,
    node_text,
    selection,
    toggle,
)
from schemas.search.query import Bare, Node, Not, Tag, Value
from web.palette import SWATCHES

SHOWN = 10
ASKED = 30
TITLES = {
    "character": "Characters",
    "copyright": "Copyrights",
    "artist": "Artists",
    "general": "Tags",
    "object": "Objects",
    "people": "People",
    "rating": "Rating",
    "colour": "Colour",
    "meta": "Meta",
    "resolution": "Resolution",
    "format": "Format",
    "collection": "Collection",
    "status": "Analysis",
    "flag": "Flags",
    "review": "Review",
    "visibility": "Visibility",
}
FOLDED = frozenset(("meta", "resolution", "format", "collection", "status", "flag", "review", "visibility"))


@dataclass(frozen=True, slots=True)
class Row:
    """One value: its count, its share of the largest in percent, where its two clicks lead, its swatch."""

    value: str
    count: int
    share: int
    selected: bool
    excluded: bool
    include_href: str
    exclude_href: str
    swatch: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One facet. The first rows stand open, the rest is one click away."""

    name: str
    title: str
    rows: tuple[Row, ...]
    folded: bool

    @property
    def open_rows(self) -> tuple[Row, ...]:
        """Rows shown at once: the first ones, and every one that the query speaks of."""
        return tuple(row for place, row in enumerate(self.rows) if place < SHOWN or row.selected or row.excluded)

    @property
    def more_rows(self) -> tuple[Row, ...]:
        """Rows behind "more"."""
        shown = set(self.open_rows)
        return tuple(row for row in self.rows if row not in shown)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the query: how it is written, its category's hue, and the address of the query without it."""

    text: str
    category: str
    href: str


def _address(query: Query) -> str:
    text = str(query)
    return "/?" + urlencode({"q": text}) if text else "/"


def _row(query: Query, facet: Facet, value: str, count: int, most: int) -> Row:
    term = facet_term(facet.name, value)
    state = selection(query, term)
    return Row(
        value,
        count,
        max(1, round(100 * count / most)) if count else 0,
        state is Selection.INCLUDED,
        state is Selection.EXCLUDED,
        _address(toggle(query, term)),
        _address(excluding(query, term)),
        SWATCHES.get(value, "") if facet.name == "colour" else "",
    )


def _excluded_tags(query: Query) -> list[str]:
    """Tags that the query excludes: no hit has them, so no count names them."""
    return [node.node.name for node in query.nodes if isinstance(node, Not) and isinstance(node.node, Bare | Tag)]


def _panel(query: Query, facet: Facet) -> Panel:
    most = max((value.count for value in facet.values), default=1)
    rows = [_row(query, facet, value.value, value.count, most) for value in facet.values]
    if facet.name == "general":
        known = {row.value for row in rows}
        rows += [_row(query, facet, name, 0, 1) for name in _excluded_tags(query) if name not in known]
    return Panel(facet.name, TITLES.get(facet.name, facet.name), tuple(rows), facet.name in FOLDED)


def _says_something(panel: Panel) -> bool:
    """A folded facet with one value that nobody chose only takes room."""
    chosen = any(row.selected or row.excluded for row in panel.rows)
    return bool(panel.rows) and (not panel.folded or len(panel.rows) > 1 or chosen)


def panels(index: SearchIndex, request: SearchRequest) -> tuple[list[Panel], int | None, timedelta]:
    """Every facet that says something to this viewer, whether counts are sampled, and how long it took."""
    names = [name for name in TITLES if request.viewer.sees_held or name not in MODERATORS_ONLY]
    found = index.facets(request, names, ASKED)
    made = [_panel(request.query, facet) for facet in found.facets]
    return [panel for panel in made if _says_something(panel)], found.sampled, found.took


def _category(node: Node, known: dict[str, str]) -> str:
    inner = node.node if isinstance(node, Not) else node
    if isinstance(inner, Value):
        return inner.field
    return known.get(inner.name, "general") if isinstance(inner, Bare | Tag) else "meta"


def terms(query: Query, made: Sequence[Panel]) -> Iterable[Term]:
    """The query's terms at its top level, each with a way to leave it out."""
    known = {row.value: panel.name for panel in made for row in panel.rows}
    for node in query.nodes:
        rest = replace(query, nodes=tuple(other for other in query.nodes if other is not node))
        yield Term(node_text(node), _category(node, known), _address(rest))
