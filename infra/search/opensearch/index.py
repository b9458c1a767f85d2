"""`OpenSearchIndex`: the search port on OpenSearch. Hits and facets are two requests: hits never wait for counts."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from infra.search.asking import check_limit, itself
from infra.search.batch import newest_of_each, outcomes
from infra.search.cursor import Cursor, read_cursor
from infra.search.opensearch.client import Client, errors, gone
from infra.search.opensearch.compile import LIVE, ORDERS, Filter, every, scope
from infra.search.opensearch.counting import FacetCounter
from infra.search.opensearch.documents import HIT_FIELDS, hit_of, microseconds, moment
from infra.search.opensearch.editions import Edition, Editions
from infra.search.opensearch.keeping import Keeper
from infra.search.opensearch.mapping import OTHER_TAGS, UNIT, facet_field
from infra.search.opensearch.patterns import beginning
from infra.search.opensearch.prepared import Asker, counted
from schemas.document import Document
from schemas.errors import ConflictError
from schemas.search import (
    TAG_CATEGORIES,
    Alias,
    FacetPage,
    HitPage,
    Order,
    SearchRequest,
    Suggestion,
    Viewer,
    WriteOutcome,
    fold,
)

_SAMPLE_ABOVE = 200_000
_FORGOTTEN = 10_000  # records in one request; the server takes 65,536 terms at most
_FORGETTING = timedelta(milliseconds=300)  # after it a refresh drops deletions from the engine's memory of versions
_DATED = (Order.NEWEST, Order.OLDEST)


class OpenSearchIndex:
    """Search over a client. sample_above: facets of more matches than this are estimated from a sample.

    only: the one edition to write and search, instead of those that the aliases name.
    """

    def __init__(
        self,
        client: Client,
        editions: Editions,
        alias: Alias = itself,
        *,
        sample_above: int = _SAMPLE_ABOVE,
        only: Edition | None = None,
    ) -> None:
        self.editions = editions
        self._client = client
        self._only = only
        self._keeper = Keeper(client, editions, again=only is None)
        self.asker = Asker(client, only.name if only else editions.name, alias)
        self._sample_above = sample_above

    def prepare(self) -> bool:
        """Make the first edition where there is none; see the port."""
        return not self.editions.ensure().filled

    def filled(self) -> None:
        """See the port."""
        self.editions.filled(self.editions.ensure().name)

    def write(self, documents: Sequence[Document], *, at_once: bool = True) -> list[WriteOutcome]:
        """Send documents to every written edition; see the port, and `keeping` for one that takes none."""
        if not documents:
            return []
        editions = self._written()
        newest = newest_of_each(documents)
        found = self._keeper.write(editions, newest)
        if at_once:
            # Searches may move to any of them now.
            self._refresh([edition.name for edition in editions if self._keeper.well(edition)])
        return outcomes(documents, newest, found)

    def only(self, edition: Edition) -> "OpenSearchIndex":
        """The index as if this edition were the only one: how a new one gets what there was before, and is checked.

        What live writes brought it meanwhile stays: of equal revisions, theirs may have vectors that came later.
        """
        return OpenSearchIndex(self._client, self.editions, self.asker.alias, only=edition)

    def hits(self, request: SearchRequest) -> HitPage:
        """One page; `total` is exact."""
        began = time.perf_counter()
        check_limit(request.limit)
        order = request.query.order
        cursor = read_cursor(request.after, order) if request.after else None
        (wanted,) = self.asker.filters([request.query], request.viewer)
        (answer,) = self.asker.ask([_page(wanted, order, cursor, request.limit + 1)])
        found = answer["hits"]["hits"]
        hits = tuple(hit_of(one["_source"]) for one in found[: request.limit])
        after = ""
        if len(found) > request.limit:
            key, record = found[request.limit - 1]["sort"]
            after = Cursor(order, moment(key) if order in _DATED else key, record).text()
        took = timedelta(seconds=time.perf_counter() - began)
        return HitPage(int(answer["hits"]["total"]["value"]), True, hits, after, took)

    def facets(self, request: SearchRequest, names: Sequence[str], size: int) -> FacetPage:
        """Counts over all matches, from a sample when they are many."""
        began = time.perf_counter()
        counter = FacetCounter(self.asker, request.viewer, self._sample_above)
        return counter.page(request.query, names, size, began)

    def suggest(self, typed: str, limit: int, viewer: Viewer) -> tuple[Suggestion, ...]:
        """Tags by the beginning of their name or of a word in it."""
        start = fold(typed)
        if not start:
            return ()
        fields = {facet_field(category): beginning(start) for category in TAG_CATEGORIES}
        fields[OTHER_TAGS] = beginning(start, after=f"[^{UNIT}]*{UNIT}")
        bodies = [_suggesting(scope(viewer), field, fitting, limit) for field, fitting in fields.items()]
        found = []
        for field, answer in zip(fields, self.asker.ask(bodies), strict=True):
            for bucket in answer["aggregations"]["tags"]["buckets"]:
                category, _, name = ("", "", bucket["key"]) if field != OTHER_TAGS else bucket["key"].partition(UNIT)
                found.append(Suggestion(name, category or field.removeprefix("tag_"), bucket["doc_count"]))
        found.sort(key=lambda each: (-each.count, each.name, each.category))
        return tuple(found[:limit])

    def count(self) -> int:
        """Live documents."""
        return self.asker.totals([LIVE])[0]

    def revisions(self, after: int, limit: int) -> list[tuple[int, int]]:
        """See the port. A refresh comes first: what was written is told."""
        self._refresh([edition.name for edition in self._written()])
        body = {
            "size": limit,
            "query": {"range": {"record": {"gt": after}}},
            "sort": [{"record": "asc"}],
            "_source": ["record", "revision"],
        }
        (answer,) = self.asker.ask([body])
        return [(int(one["_source"]["record"]), int(one["_source"]["revision"])) for one in answer["hits"]["hits"]]

    def forget(self, records: Sequence[int]) -> None:
        """See the port."""
        for start in range(0, len(records), _FORGOTTEN):
            self._delete({"terms": {"record": list(records[start : start + _FORGOTTEN])}})

    def purge(self, older: timedelta) -> int:
        """Forget old tombstones."""
        before = int((time.time() - older.total_seconds()) * 1000)
        return self._delete(every([{"term": {"deleted": True}}, {"range": {"written": {"lte": before}}}]))

    def truncate(self) -> None:
        """Begin a new edition and drop all others."""
        made = self.editions.begin()
        others = [edition.name for edition in self.editions.all() if edition.name != made.name]
        self.editions.read_from(made.name)
        self.editions.drop(others)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _delete(self, wanted: Filter) -> int:
        """Delete for good in every written edition; lower revisions are taken again when this returns."""
        names = [edition.name for edition in self._written()]
        self._refresh(names)
        with errors("removing documents"):
            done = self._client.delete_by_query(index=names, body={"query": wanted}, conflicts="proceed")
        time.sleep(_FORGETTING.total_seconds())
        self._refresh(names)
        return int(done["deleted"]) // len(names)

    def _written(self) -> list[Edition]:
        """Where documents go. TransientError when there is no index (any more); ConflictError for `only` one."""
        editions = self.editions.written()
        if self._only:  # as it is now: room for another model's vectors may have been made in it
            editions = [edition for edition in editions if edition.name == self._only.name]
            if not editions:
                raise ConflictError(f"{self._only.name} is lost, or was given up: the log says what it turned away")
        if not editions:
            raise gone(f"writing to {self.editions.name}")
        return editions

    def _refresh(self, names: Sequence[str]) -> None:
        with errors("refreshing"):
            self._client.indices.refresh(index=list(names))


def _page(wanted: Filter, order: Order, cursor: Cursor | None, size: int) -> dict[str, object]:
    field, falling = ORDERS[order]
    direction = "desc" if falling else "asc"
    # The key comes twice when the order is by record: the place in a page is a key and a record everywhere.
    body: dict[str, object] = {
        "size": size,
        "query": wanted,
        "track_total_hits": True,
        "sort": [{field: direction}, {"record": direction}],
        "_source": HIT_FIELDS,
    }
    if cursor is not None:
        key = microseconds(cursor.key) if isinstance(cursor.key, datetime) else cursor.key
        body["search_after"] = [key, cursor.record]
    return body


def _suggesting(seen: Filter, field: str, fitting: str, limit: int) -> dict[str, object]:
    wanted = every([seen, {"regexp": {field: fitting}}])
    return {"size": 0, "query": wanted, "aggs": {"tags": counted(field, limit, fitting)}}
