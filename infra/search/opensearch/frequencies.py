"""How often tags are there, and what that makes of two lists of tags: the cosine of their TF-IDF vectors."""

import math
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from infra.search.opensearch.compile import LIVE
from infra.search.opensearch.mapping import OTHER_TAGS, facet_field
from infra.search.opensearch.prepared import Asker, counted
from schemas.search import TAG_CATEGORIES

CANDIDATES = 4_000  # documents that may share a rare tag for it to count as rare
TAG_FIELDS = (*map(facet_field, TAG_CATEGORIES), OTHER_TAGS)
_TAGS = 65_000  # names of a category whose frequency is known; rarer ones count as if seen once
_KEPT = timedelta(minutes=1)
Name = tuple[str, str]
"""A tag's field and term."""


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How many live documents have each tag, of how many."""

    counts: Mapping[Name, int]
    documents: int

    def square(self, name: Name) -> float:
        """The squared inverse document frequency, as PostgreSQL's index computes it."""
        return math.log(1 + max(1, self.documents) / max(1, self.counts.get(name, 1))) ** 2

    def rare(self, names: Iterable[Name]) -> list[Name]:
        """The rarest of names: the first, and as many more as have few enough documents together."""
        ordered = sorted(names, key=lambda name: (self.counts.get(name, 1), name))
        reach, found = 0, []
        for place, name in enumerate(ordered):
            reach += self.counts.get(name, 1)
            if place and reach > CANDIDATES:
                break
            found.append(name)
        return found

    def cosine(self, mine: Iterable[Name], other: Iterable[Name]) -> float:
        """Of TF-IDF vectors: a tag is there or not."""
        own, their = set(mine), set(other)
        both, left, right = (math.fsum(map(self.square, names)) for names in (own & their, own, their))
        return both / math.sqrt(left * right) if both else 0.0


class Weights:
    """Frequencies, read again when they are old: an aggregation over everything is dear."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._lock = threading.Lock()
        self._known = Frequencies({}, 0)
        self._until = 0.0

    def now(self) -> Frequencies:
        """Not older than a minute."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._known = self._read()
                self._until = time.monotonic() + _KEPT.total_seconds()
            return self._known

    def _read(self) -> Frequencies:
        tags = {name: counted(name, _TAGS) for name in TAG_FIELDS}
        (answer,) = self._asker.ask([{"size": 0, "track_total_hits": True, "query": LIVE, "aggs": tags}])
        counts = {
            (name, str(bucket["key"])): int(bucket["doc_count"])
            for name, told in answer["aggregations"].items()
            for bucket in told["buckets"]
        }
        return Frequencies(counts, int(answer["hits"]["total"]["value"]))
