"""What every index does with a request before it asks its server, and with the counts that come back."""

from collections.abc import Iterable, Sequence

from schemas.errors import QueryError
from schemas.search import EXCLUSIVE, MODERATORS_ONLY, Facet, FacetValue, Query, Viewer
from schemas.search.edit import without_field
from schemas.search.facets import in_order

MAX_LIMIT = 500
MAX_SIZE = 1000


def itself(name: str) -> str:
    """The alias of who has no aliases."""
    return name


def check_limit(limit: int) -> None:
    """QueryError unless a page may have so many hits."""
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"limit={limit}: ask for 1 to {MAX_LIMIT} hits a page")


def check_facets(names: Iterable[str], size: int, viewer: Viewer) -> None:
    """QueryError unless the viewer may have these facets in this size."""
    if not 1 <= size <= MAX_SIZE:
        raise QueryError(f"size={size}: ask for 1 to {MAX_SIZE} values of a facet")
    hidden = sorted(MODERATORS_ONLY.intersection(names))
    if hidden and not viewer.sees_held:
        raise QueryError(f"{', '.join(hidden)} is counted for moderators only: sign in as one, or leave it out")


def by_query(query: Query, names: Iterable[str]) -> dict[Query, list[str]]:
    """Facets by the query that each is counted over: one whose values exclude each other ignores its own choice."""
    groups: dict[Query, list[str]] = {}
    for name in names:
        own = without_field(query, name) if name in EXCLUSIVE else query
        groups.setdefault(own, []).append(name)
    return groups


def facet_of(name: str, values: Sequence[tuple[str, int]]) -> Facet:
    """A facet of (value, count) pairs by falling count, in its own order if it has one."""
    own = in_order(name)
    ordered = sorted(values, key=lambda pair: own.index(pair[0]) if pair[0] in own else len(own)) if own else values
    return Facet(name, tuple(FacetValue(value, count) for value, count in ordered))
