"""Facets: which there are, what a document counts for in each, and the query term that a value stands for."""

from collections.abc import Iterator

from schemas.document import Document
from schemas.search.fields import RATINGS, RESOLUTIONS
from schemas.search.query import Bare, Leaf, Number, Span, Tag, Value
from schemas.search.text import stands_alone
from schemas.search.tokens import fold

TAG_CATEGORIES = ("general", "character", "copyright", "artist", "meta")
PEOPLE = ("0", "1", "2", "3+")

EXCLUSIVE = ("rating", "people", "format", "status", "resolution", "collection", "review", "visibility")
"""A document has one value at most: values are joined by OR, and the facet ignores its own choice."""
SHARED = ("object", "colour", "flag")
"""A document may have many values: each choice is joined by AND, as with tags."""
MODERATORS_ONLY = frozenset({"flag", "review", "visibility"})

FACETS = (*TAG_CATEGORIES, *SHARED, *EXCLUSIVE)
"""All facets by name. Any other name is taken as a tag category."""
_NOT_CATEGORIES = frozenset((*SHARED, *EXCLUSIVE))

_STEPS = ((500_000, "low"), (2_000_000, "medium"), (8_000_000, "high"))


def resolution(width: int, height: int) -> str:
    """The resolution class of an image by its number of pixels."""
    return next((name for limit, name in _STEPS if width * height < limit), "huge")


def people_class(people: int | None) -> str | None:
    """A number of people as the facet's value."""
    if people is None:
        return None
    return str(people) if people < 3 else "3+"


def facet_values(document: Document) -> Iterator[tuple[str, str]]:
    """The distinct (facet, value) pairs that a document counts for, names folded."""
    tags = ((fold(tag.category), fold(tag.name)) for tag in document.tags)
    yield from dict.fromkeys(pair for pair in tags if pair[0] not in _NOT_CATEGORIES)
    yield from form_values(document)


def form_values(document: Document) -> Iterator[tuple[str, str]]:
    """The same without tags: what it shows, its form and its state."""
    shared = {"object": document.objects, "colour": document.colours, "flag": document.flags}
    single = {
        "rating": document.rating,
        "people": people_class(document.people),
        "format": document.format,
        "status": document.status,
        "resolution": resolution(document.width, document.height),
        "collection": document.collection,
        "review": document.review,
        "visibility": document.visibility,
    }
    pairs = [(field, value) for field, values in shared.items() for value in values]
    pairs += [(field, value) for field, value in single.items() if value]
    yield from dict.fromkeys((field, fold(value)) for field, value in pairs)


def facet_term(facet: str, value: str) -> Leaf:
    """The query term that a click on a facet's value stands for; see `toggle`."""
    if facet == "people":
        return Number("people", (Span(low=3) if value == "3+" else Span(int(value), int(value)),))
    if facet in EXCLUSIVE or facet in SHARED:
        return Value(facet, (value,))
    return Bare(value) if stands_alone(value) else Tag(value)


def in_order(facet: str) -> tuple[str, ...]:
    """The facet's own order of values, or () when values come by falling count."""
    return {"people": PEOPLE, "rating": RATINGS, "resolution": RESOLUTIONS}.get(facet, ())
