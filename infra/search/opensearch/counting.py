"""Counting facets: exactly as long as matches are few enough, over a fair sample else."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from infra.search.asking import by_query, check_facets, facet_of
from infra.search.opensearch.compile import Filter, every
from infra.search.opensearch.documents import LOTS
from infra.search.opensearch.mapping import OTHER_TAGS, UNIT, facet_field
from infra.search.opensearch.patterns import under
from infra.search.opensearch.prepared import Asker, counted
from schemas.search import FacetPage, Query, Viewer

_SAMPLE = 20_000  # matches in a sample: what one in a hundred has is known to about 7 %
Counted = Mapping[str, Sequence[tuple[str, int]]]


class FacetCounter:
    """Counts for one viewer."""

    def __init__(self, asker: Asker, viewer: Viewer, sample_above: int) -> None:
        self._asker = asker
        self._viewer = viewer
        self._sample_above = sample_above

    def page(self, query: Query, names: Sequence[str], size: int, began: float) -> FacetPage:
        """The facets asked for. `began` is the `perf_counter` when the request came."""
        check_facets(names, size, self._viewer)
        groups = by_query(query, names)
        filters = self._asker.filters(list(groups), self._viewer)
        totals = self._asker.totals(filters)
        shares = [self._share(total) for total in totals]
        bodies = [
            {"size": 0, "query": _sampled(own, share), "aggs": {name: _terms(name, size) for name in members}}
            for own, share, members in zip(filters, shares, groups.values(), strict=True)
        ]
        values: dict[str, list[tuple[str, int]]] = {}
        for answer, share, members in zip(self._asker.ask(bodies), shares, groups.values(), strict=True):
            values |= {name: _values(name, answer["aggregations"][name], share) for name in members}
        sampled = [round(total * share / LOTS) for total, share in zip(totals, shares, strict=True) if share < LOTS]
        took = timedelta(seconds=time.perf_counter() - began)
        return FacetPage(tuple(facet_of(name, values[name]) for name in names), min(sampled, default=None), took)

    def _share(self, total: int) -> int:
        """How many of all lots are looked at."""
        if total <= self._sample_above:
            return LOTS
        return max(1, round(LOTS * min(_SAMPLE, self._sample_above / 2) / total))


def _sampled(wanted: Filter, share: int) -> Filter:
    return wanted if share >= LOTS else every([wanted, {"range": {"lot": {"lt": share}}}])


def _terms(name: str, size: int) -> Mapping[str, object]:
    field = facet_field(name)
    return counted(field, size, under(name + UNIT) if field == OTHER_TAGS else "")


def _values(name: str, answer: Mapping[str, object], share: int) -> list[tuple[str, int]]:
    start = len(name + UNIT) if facet_field(name) == OTHER_TAGS else 0
    buckets: Sequence[Mapping[str, object]] = answer["buckets"]  # type: ignore[assignment]
    return [(str(one["key"])[start:], round(int(one["doc_count"]) * LOTS / share)) for one in buckets]  # type: ignore[call-overload]
