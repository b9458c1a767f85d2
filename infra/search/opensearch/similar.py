"""Images that are alike, on OpenSearch: by tags and look from the documents, by vectors through its k-NN index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.records.pool import Pool, session
from infra.records.sql import statement
from infra.search.opensearch.compile import LIVE, Filter, every, scope
from infra.search.opensearch.documents import HIT_FIELDS, hit_of, parts
from infra.search.opensearch.editions import Edition
from infra.search.opensearch.frequencies import TAG_FIELDS, Name, Weights
from infra.search.opensearch.index import OpenSearchIndex
from infra.search.opensearch.mapping import vector_field
from schemas.errors import PermanentError
from schemas.search import Viewer
from schemas.search.similar import Alike, QueryVector, above

BITS = 10  # of 64 that may differ in near duplicates
_RANKED = 500  # documents whose cosine is computed: those that share most
_LOOKS = 1_000  # candidates whose hashes are compared
_REACH = 100  # neighbours that the graph is asked for at least: a wider beam finds more of the true ones
_ABSENT = "this OpenSearch has no k-NN plugin, so vectors are not searched; install it and say `nafuda index rebuild`"
Stored = Mapping[str, Any]


@dataclass
class OpenSearchSimilar:
    """`schemas.search.similar.SimilarImages`. Which vector an image has is asked of the records."""

    index: OpenSearchIndex
    pool: Pool
    _weights: Weights = field(init=False)

    def __post_init__(self) -> None:
        self._weights = Weights(self.index.asker)

    def by_tags(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """Rare tags count more: the exact cosine of those that share the most weight; see the port."""
        mine = self._stored(record)
        if mine is None:
            return ()
        weight = self._weights.now()
        own = _names(mine)
        rare = weight.rare(own)
        if not rare:
            return ()
        shared = [
            {"constant_score": {"filter": {"term": {name: term}}, "boost": weight.square((name, term))}}
            for name, term in own
        ]
        wanted = {"bool": {"filter": [*self._seen(viewer, record), _any(rare)], "should": shared}}
        body = {"size": _RANKED, "query": wanted, "_source": [*HIT_FIELDS, *TAG_FIELDS]}
        scored = [(weight.cosine(own, _names(stored)), stored) for stored in self._search(body)]
        return _best([pair for pair in scored if pair[0] > 0], limit)

    def by_look(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """Near duplicates; see the port."""
        mine = self._stored(record)
        if mine is None:
            return ()
        own = int(mine["phash"])
        wanted = every([*self._seen(viewer, record), {"terms": {"phash_part": parts(own)}}])
        found = self._search({"size": _LOOKS, "query": wanted, "_source": [*HIT_FIELDS, "phash"]})
        compared = [(((int(stored["phash"]) ^ own) & (2**64 - 1)).bit_count(), stored) for stored in found]
        return _best([(1 - bits / 64, stored) for bits, stored in compared if bits <= BITS], limit)

    def by_vector(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """The nearest pictures of the newest space that this one is in, a sample's only for want of others."""
        with session(self.pool) as connection:
            row = connection.execute(statement("similar", "vector_of"), {"record": record}).fetchone()
        read = self.index.editions.read()
        return self._near(read, row[0], row[1], limit, viewer, record) if row else ()

    def by_text(self, wanted: QueryVector, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """Pictures close to a text. PermanentError when vectors cannot be searched here."""
        read = self.index.editions.read()
        if read is not None and not read.vectors:
            raise PermanentError(_ABSENT, code="no-vectors")
        values = {"model": wanted.model, "revision": wanted.revision}
        with session(self.pool) as connection:
            row = connection.execute(statement("similar", "space_of"), values).fetchone()
        return self._near(read, row[0], wanted.vector.tolist(), limit, viewer, floor=wanted.floor) if row else ()

    def lacking(self) -> str:
        """See the port."""
        read = self.index.editions.read()
        return _ABSENT if read is not None and not read.vectors else ""

    def open_space(self, space: int, width: int) -> str:
        """See the port."""
        self.index.editions.ensure()
        return "" if self.index.editions.open_space(space, width) else _ABSENT

    def _near(
        self,
        read: Edition | None,
        space: int,
        vector: Sequence[float],
        limit: int,
        viewer: Viewer,
        record: int = 0,
        floor: float = -1.0,
    ) -> tuple[Alike, ...]:
        if read is None or space not in read.spaces:
            return ()
        seen = every([*self._seen(viewer, record), {"exists": {"field": vector_field(space)}}])
        near = {"vector": list(vector), "k": max(_REACH, limit), "filter": seen}
        query = {"knn": {vector_field(space): near}}
        (answer,) = self.index.asker.ask([{"size": limit, "query": query, "_source": HIT_FIELDS}])
        # Lucene's score of a cosine is (1 + cosine) / 2.
        found = _best([(2 * one["_score"] - 1, one["_source"]) for one in answer["hits"]["hits"]], limit)
        return above(floor, found)

    def _seen(self, viewer: Viewer, record: int) -> list[Filter]:
        return [scope(viewer), {"bool": {"must_not": [{"term": {"record": record}}]}}]

    def _stored(self, record: int) -> Stored | None:
        wanted = every([LIVE, {"term": {"record": record}}])
        found = self._search({"size": 1, "query": wanted, "_source": [*TAG_FIELDS, "phash"]})
        return found[0] if found else None

    def _search(self, body: Mapping[str, object]) -> list[Stored]:
        (answer,) = self.index.asker.ask([body])
        return [one["_source"] for one in answer["hits"]["hits"]]


def _names(stored: Stored) -> list[Name]:
    return [(name, term) for name in TAG_FIELDS for term in stored.get(name, ())]


def _any(names: Iterable[Name]) -> Filter:
    terms: dict[str, list[str]] = {}
    for name, term in names:
        terms.setdefault(name, []).append(term)
    return {"bool": {"should": [{"terms": {name: found}} for name, found in terms.items()]}}


def _best(scored: Iterable[tuple[float, Stored]], limit: int) -> tuple[Alike, ...]:
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1]["record"]))
    return tuple(Alike(hit_of(stored), round(score, 4)) for score, stored in best[:limit])
