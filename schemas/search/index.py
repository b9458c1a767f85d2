"""The port to a search index, and what goes through it: requests, hits, facets, suggestions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from schemas.document import Document
from schemas.record import Status, Visibility
from schemas.search.text import Query

Alias = Callable[[str], str]
"""Gives a tag's canonical name, or the name itself when it has no alias. Applied when a query is run."""

HIT_TAGS = 8


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom we search. collections: None for all.

    Only who `sees_held` gets records that are held or removed, and may search and count by flag, review and
    visibility.
    """

    sees_held: bool = False
    collections: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One page of hits. limit in 1..500. after: the `next` of the page before, same query and order."""

    query: Query
    viewer: Viewer
    limit: int = 60
    after: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """What a grid needs before the record itself is read: identity, form, state, and words for who cannot see it.

    tags: the `HIT_TAGS` surest tags, the surest first, ties by name; none of the categories rating and meta.
    """

    record: int
    collection: str
    sha256: str
    width: int
    height: int
    format: str
    rating: str | None
    status: Status
    visibility: Visibility
    created_at: datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HitPage:
    """Hits in the query's order. `total` is an estimate unless `exact`; `next` is "" on the last page."""

    total: int
    exact: bool
    hits: tuple[Hit, ...]
    next: str
    took: timedelta


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value and how many matching records have it. `schemas.search.facet_term` makes it a query's term."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """Values by falling count, then by name. people, rating and resolution come in their own order."""

    name: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class FacetPage:
    """Facets in the order asked for.

    sampled: None when every count is exact; else counts are estimates from about this many matching records.
    """

    facets: tuple[Facet, ...]
    sampled: int | None
    took: timedelta


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A tag that fits what was typed; count is the number of records with it that the viewer may see."""

    name: str
    category: str
    count: int


class WriteOutcome(StrEnum):
    """What became of one document."""

    WRITTEN = "written"
    STALE = "stale"  # the index holds a newer revision; nothing is to be done
    FAILED = "failed"  # not taken now; to be written again
    REFUSED = "refused"  # the index never takes this document; the log says why


class SearchIndex(Protocol):
    """Documents that can be searched. Written by revision, so late and repeated writes do no harm."""

    def prepare(self) -> bool:
        """Make what the server lacks; True until `filled`: then every document has to be written to it."""

    def filled(self) -> None:
        """Everything that there was is noted to be written; from now on it is kept up."""

    def write(self, documents: Sequence[Document], *, at_once: bool = True) -> list[WriteOutcome]:
        """Take documents in; an outcome for each, in order. Searches see them when this returns, or soon after.

        at_once=False lets the index choose the moment, within about a second: cheaper where writes are many.
        A lower revision than the stored one is dropped, an equal one written again. `deleted=True` leaves a
        tombstone that keeps later lower revisions out.
        """

    def hits(self, request: SearchRequest) -> HitPage:
        """One page of hits. QueryError: not for this viewer, or the cursor belongs elsewhere."""

    def facets(self, request: SearchRequest, names: Sequence[str], size: int) -> FacetPage:
        """Count values over all matches (limit and cursor are ignored), at most `size` of each facet.

        Counts follow the whole query, but a facet whose values exclude each other (`EXCLUSIVE`) ignores the
        query's own choice in it, so that the other choices can be seen. names: `FACETS`, or any other tag
        category.
        """

    def suggest(self, typed: str, limit: int, viewer: Viewer) -> tuple[Suggestion, ...]:
        """Tags whose name, or a word in it, begins with what was typed; the most used first."""

    def count(self) -> int:
        """Live documents: not deleted, of any visibility."""

    def revisions(self, after: int, limit: int) -> Sequence[tuple[int, int]]:
        """(record, revision) of the next documents above `after`, by record: tombstones and the latest writes too."""

    def forget(self, records: Sequence[int]) -> None:
        """Remove documents without a tombstone: any revision is taken again when this returns."""

    def purge(self, older: timedelta) -> int:
        """Forget tombstones written longer ago than this; returns how many."""

    def truncate(self) -> None:
        """Forget everything, before a rebuild."""
