"""Asking the index: searches in one request, and queries made ready, with names looked up and bare words settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.search.opensearch.client import AWAY, Client, errors
from infra.search.opensearch.compile import LIVE, Filter, compile_query, every, scope
from infra.search.opensearch.patterns import pattern_of
from schemas.errors import PermanentError, TransientError
from schemas.search import Alias, Query, Viewer
from schemas.search.query import MAX_WILD, Bare, Wild, leaves
from schemas.search.resolve import canonical, check_viewer, check_wild, settle

Body = Mapping[str, object]
Answer = Mapping[str, Any]
_SHARD_SIZE = 200  # values that each shard sends: what the others lack is not lost (with one shard counts are exact)


@dataclass(frozen=True, slots=True)
class Asker:
    """Searches one alias. alias: tags by another name."""

    client: Client
    name: str
    alias: Alias

    def ask(self, bodies: Sequence[Body]) -> list[Answer]:
        """The answers of several searches, one request for all. What the request cache can keep, it keeps."""
        if not bodies:
            return []
        lines = [line for body in bodies for line in ({}, body)]
        with errors(f"searching {self.name}"):
            answers = self.client.msearch(index=self.name, body=lines)["responses"]
        for answer in answers:
            _check(answer)
        return list(answers)

    def filters(self, queries: Sequence[Query], viewer: Viewer) -> list[Filter]:
        """What each query means for a viewer. QueryError when the viewer may not ask it."""
        for query in queries:
            check_viewer(query, viewer)
        renamed = [canonical(query, self.alias) for query in queries]
        used = {leaf for query in renamed for leaf in leaves(query.nodes)}
        known = self._known(sorted({leaf.name for leaf in used if isinstance(leaf, Bare)}))
        wilds = self._wilds(sorted({leaf.pattern for leaf in used if isinstance(leaf, Wild)}))
        seen = scope(viewer)
        return [every([seen, compile_query(settle(query, known.__contains__), wilds)]) for query in renamed]

    def totals(self, filters: Sequence[Filter]) -> list[int]:
        """How many documents match, exactly."""
        bodies = [{"size": 0, "track_total_hits": True, "query": wanted} for wanted in filters]
        return [int(answer["hits"]["total"]["value"]) for answer in self.ask(bodies)]

    def _known(self, names: Sequence[str]) -> set[str]:
        """Which names are tags of a live document."""
        wanted = [every([LIVE, {"term": {"tag": name}}]) for name in names]
        bodies = [{"size": 0, "terminate_after": 1, "track_total_hits": 1, "query": each} for each in wanted]
        answers = self.ask(bodies)
        return {name for name, answer in zip(names, answers, strict=True) if answer["hits"]["total"]["value"]}

    def _wilds(self, patterns: Sequence[str]) -> dict[str, list[str]]:
        """The tags that each pattern stands for. QueryError when they are too many."""
        bodies = []
        for pattern in patterns:
            fitting = pattern_of(pattern)
            wanted = every([LIVE, {"regexp": {"tag": fitting}}])
            tags = counted("tag", 10 * MAX_WILD, fitting)
            bodies.append({"size": 0, "query": wanted, "aggs": {"tags": tags}})
        found = {}
        for pattern, answer in zip(patterns, self.ask(bodies), strict=True):
            found[pattern] = [str(one["key"]) for one in answer["aggregations"]["tags"]["buckets"]]
            check_wild(pattern, len(found[pattern]))
        return found


def counted(field: str, size: int, fitting: str = "") -> Body:
    """The `size` most frequent terms of a field, of those that fit an expression if there is one."""
    terms = {"field": field, "size": size, "shard_size": max(size, _SHARD_SIZE)}
    return {"terms": {**terms, "include": fitting} if fitting else terms}


def _check(answer: Answer) -> None:
    """Raise what went wrong in one of the searches: a shard that did not answer would count too little."""
    if "error" in answer:
        causes = answer["error"].get("root_cause") or [answer["error"]]
        reason = f"{answer['error'].get('reason')} {causes[0].get('reason', '')}"
        if answer.get("status") == 404 or answer.get("status", 500) >= 500 or answer.get("status") == 429:
            raise TransientError(f"searching: OpenSearch cannot answer now: {reason}", code=AWAY)
        raise PermanentError(f"searching: OpenSearch does not take the query: {reason}", code="search-refused")
    if answer["timed_out"] or answer["_shards"]["failed"]:
        raise TransientError("searching: a part of the index did not answer; try again", code=AWAY)
