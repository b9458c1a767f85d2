"""The contract suite of `SearchIndex`: an adapter's test module inherits it and gives the `index` fixture."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.document import Document, DocumentTag
from schemas.errors import QueryError
from schemas.record import Status, Visibility
from schemas.search import (
    FACETS,
    HIT_TAGS,
    MODERATORS_ONLY,
    Order,
    Query,
    SearchIndex,
    SearchRequest,
    Suggestion,
    Viewer,
    WriteOutcome,
    facet_term,
    parse,
    toggle,
    words,
)
from tests.search import strategies as some
from tests.search.oracle import Oracle

MODERATOR, ANYBODY = Viewer(sees_held=True), Viewer()
SAMPLE_ABOVE = 40
ALIASES = {"kitty": "cat", "bird": "dog"}
Built = Callable[[Sequence[Document]], SearchIndex]
ON_A_SERVER = "NAFUDA_TEST_OPENSEARCH_URL" in os.environ  # forgetting everything takes it a fifth of a second
_slowly = settings(
    deadline=None,
    max_examples=30 if ON_A_SERVER else 60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def a_document(record: int = 1, revision: int = 1, *, names: str = "cat", **changed: object) -> Document:
    """A shown document with tags by name."""
    plain = Document(
        record=record,
        revision=revision,
        deleted=False,
        collection="one",
        visibility=Visibility.SHOWN,
        status=Status.COMPLETE,
        sha256=f"{record:064x}",
        format="png",
        width=1000,
        height=1000,
        bytes=1000,
        created_at=some.BEGINNING + timedelta(minutes=record),
        tags=tuple(DocumentTag(name, "general", 0.9) for name in names.split()),
        objects=(),
        people=None,
        rating=None,
        colours=(),
        words=words(f"folder/image_{record}.png"),
        flags=(),
        review="",
        phash=0,
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


def found(index: SearchIndex, text: str | Query, viewer: Viewer = ANYBODY) -> list[int]:
    """Records of the first page."""
    query = parse(text) if isinstance(text, str) else text
    return [hit.record for hit in index.hits(SearchRequest(query, viewer, 500)).hits]


def counts(index: SearchIndex, text: str, facet: str, viewer: Viewer = ANYBODY) -> dict[str, int]:
    """One facet as a mapping."""
    page = index.facets(SearchRequest(parse(text), viewer), [facet], 50)
    return {value.value: value.count for value in page.facets[0].values}


def agrees(index: SearchIndex, documents: list[Document], queries: list[Query], viewer: Viewer) -> None:
    """Hits, their order and number, and every facet equal the oracle's."""
    index.truncate()
    index.write(documents)
    oracle = Oracle(documents, ALIASES)
    names = [name for name in (*FACETS, "scene") if viewer.sees_held or name not in MODERATORS_ONLY]
    assert index.count() == len(oracle.live())
    for query in queries:
        page = index.hits(SearchRequest(query, viewer, 500))
        expected = oracle.hits(query, viewer)
        assert [hit.record for hit in page.hits] == expected
        assert (page.total, page.exact) == (len(expected), True)
    counted = index.facets(SearchRequest(queries[0], viewer), names, 3)
    assert list(counted.facets) == [oracle.facet(queries[0], viewer, name, 3) for name in names]
    assert counted.sampled is None


class SearchContract:
    """What every index does. The `index` fixture: empty, ALIASES applied, facets sampled above SAMPLE_ABOVE."""

    @_slowly
    @given(
        st.lists(some.documents, max_size=14),
        st.lists(some.queries(some.for_moderators), min_size=4, max_size=12),
    )
    def test_a_moderator_finds_what_the_oracle_finds(
        self, index: SearchIndex, documents: list[Document], queries: list[Query]
    ) -> None:  # R64
        agrees(index, documents, queries, MODERATOR)

    @_slowly
    @given(
        st.lists(some.documents, max_size=14),
        st.lists(some.queries(some.for_viewers), min_size=4, max_size=12),
        st.sampled_from((None, frozenset({"two"}), frozenset({"one", "two"}), frozenset({"none"}))),
    )
    def test_a_viewer_finds_what_the_oracle_finds(
        self, index: SearchIndex, documents: list[Document], queries: list[Query], only: frozenset[str] | None
    ) -> None:  # R64
        agrees(index, documents, queries, Viewer(collections=only))

    def test_every_field_and_its_opposite_find_what_the_oracle_finds(self, index: SearchIndex) -> None:  # R64
        documents = some.a_world(150)
        queries = [parse(sign + text) for text in some.EVERY_FIELD for sign in ("", "-", "cat -dog ")]
        queries += [parse(f"order:{order}") for order in Order]
        index.write(documents)
        oracle = Oracle(documents, ALIASES)
        for query in queries:
            expected = oracle.hits(query, MODERATOR)
            assert [hit.record for hit in index.hits(SearchRequest(query, MODERATOR, 500)).hits] == expected, query

    def test_a_hit_tells_its_surest_tags_for_those_who_cannot_see_it(self, index: SearchIndex) -> None:
        said = [("hat", "general", 0.7), ("smile", "general", 0.9), ("dog", "scene", 0.8), ("ant", "general", 0.9)]
        untold = [("general", "rating", 1.0), ("scan", "meta", 1.0), ("hat", "scene", 0.2)]
        many = [(f"tag_{number:02}", "general", 0.5) for number in range(HIT_TAGS + 3)]
        worlds = {1: [*said, *untold], 2: many, 3: []}
        for record, tags in worlds.items():
            index.write([a_document(record, tags=tuple(DocumentTag(*tag) for tag in tags))])
        hits = index.hits(SearchRequest(parse("order:oldest"), ANYBODY)).hits
        assert hits[0].tags == ("ant", "smile", "dog", "hat")
        assert hits[1].tags == tuple(name for name, _, _ in many[:HIT_TAGS])
        assert hits[2].tags == ()

    def test_values_that_tie_come_by_name_and_are_cut_by_name(self, index: SearchIndex) -> None:
        for record, name in enumerate(("zebra", "mouse", "ant"), 1):
            index.write([a_document(record, names=f"{name} both")])
        for text in ("", "both"):
            page = index.facets(SearchRequest(parse(text), ANYBODY), ["general"], 3)
            assert [value.value for value in page.facets[0].values] == ["both", "ant", "mouse"]

    @_slowly
    @given(st.lists(some.documents, max_size=14), some.queries(some.for_moderators), st.integers(1, 4))
    def test_pages_follow_each_other_without_gap_or_repetition(
        self, index: SearchIndex, documents: list[Document], query: Query, limit: int
    ) -> None:
        index.truncate()
        index.write(documents)
        seen: list[int] = []
        request = SearchRequest(query, MODERATOR, limit)
        while True:
            page = index.hits(request)
            seen += [hit.record for hit in page.hits]
            if not page.next:
                break
            assert len(page.hits) == limit
            request = replace(request, after=page.next)
        assert seen == Oracle(documents, ALIASES).hits(query, MODERATOR)

    @_slowly
    @given(st.lists(some.documents, max_size=8), st.lists(some.documents, max_size=8))
    def test_batches_in_any_order_leave_the_newest_revisions(
        self, index: SearchIndex, early: list[Document], late: list[Document]
    ) -> None:  # R74
        index.truncate()
        index.write(early)
        index.write(late)
        oracle = Oracle([*early, *late])
        assert found(index, "order:id", MODERATOR) == oracle.hits(parse("order:id"), MODERATOR)
        page = index.facets(SearchRequest(Query(), ANYBODY), ["general", "format"], 50)
        assert list(page.facets) == [oracle.facet(Query(), ANYBODY, name, 50) for name in ("general", "format")]

    @_slowly
    @given(st.text(max_size=60))
    def test_whatever_is_typed_is_searched_or_refused(self, index: SearchIndex, text: str) -> None:
        index.write([a_document(names="o'brien x%y")])
        try:
            query = parse(text)
        except QueryError:
            return
        assert set(found(index, query, MODERATOR)) <= {1}
        assert index.count() == 1

    @pytest.mark.parametrize(
        "text", ["'; DROP TABLE search_document; --", "o'brien", "x%y", "%s", "{}", "$1", "\\", 'a"b']
    )
    def test_hostile_names_are_only_names(self, index: SearchIndex, text: str) -> None:
        held = DocumentTag(text, "general", 0.5)
        index.write([a_document(1, tags=(held,), flags=(text,), objects=(text,)), a_document(2)])
        for facet in ("general", "object", "flag"):
            value = index.facets(SearchRequest(Query(), MODERATOR), [facet], 1).facets[0].values[-1].value
            query = toggle(Query(), facet_term(facet, value)) if facet != "general" else Query()
            assert 1 in found(index, query, MODERATOR)
        query = toggle(Query(), facet_term("general", index.suggest(text, 1, MODERATOR)[0].name))
        assert found(index, parse(str(query))) == [1]

    def test_a_lower_revision_is_dropped_and_an_equal_one_written(self, index: SearchIndex) -> None:  # R74
        assert index.write([a_document(1, 5)]) == [WriteOutcome.WRITTEN]
        assert index.write([a_document(1, 4, names="dog")]) == [WriteOutcome.STALE]
        assert found(index, "dog") == []
        assert index.write([a_document(1, 5, names="dog")]) == [WriteOutcome.WRITTEN]
        assert found(index, "dog") == [1]

    def test_of_a_batch_the_newest_revision_stays(self, index: SearchIndex) -> None:
        batch = [a_document(1, 2, names="dog"), a_document(1, 1), a_document(2, 1)]
        outcomes = index.write(batch)
        assert outcomes == [WriteOutcome.WRITTEN, WriteOutcome.STALE, WriteOutcome.WRITTEN]
        assert found(index, "dog") == [1]

    def test_a_tombstone_keeps_later_lower_revisions_out(self, index: SearchIndex) -> None:  # R74
        index.write([a_document(1, 1)])
        index.write([a_document(1, 3, deleted=True)])
        assert index.write([a_document(1, 2)]) == [WriteOutcome.STALE]
        assert (found(index, "", MODERATOR), index.count()) == ([], 0)

    def test_purged_tombstones_are_forgotten(self, index: SearchIndex) -> None:
        index.write([a_document(1, 3, deleted=True), a_document(2)])
        assert index.purge(timedelta(hours=1)) == 0
        assert index.purge(timedelta(0)) == 1
        assert index.write([a_document(1, 2)]) == [WriteOutcome.WRITTEN]

    def test_revisions_are_told_a_page_at_a_time_and_what_is_forgotten_is_taken_again(self, index: SearchIndex) -> None:
        index.write([a_document(3, 7), a_document(1, 2, deleted=True), a_document(2, 4), a_document(9, 1)])
        assert list(index.revisions(0, 3)) == [(1, 2), (2, 4), (3, 7)]
        assert list(index.revisions(3, 3)) == [(9, 1)]
        index.forget([3, 1, 8])
        assert list(index.revisions(0, 9)) == [(2, 4), (9, 1)]
        assert (index.count(), counts(index, "", "general")) == (2, {"cat": 2})
        assert index.write([a_document(3, 1), a_document(1, 1)]) == [WriteOutcome.WRITTEN] * 2

    def test_truncate_forgets_everything(self, index: SearchIndex) -> None:
        index.write([a_document(1, 9), a_document(2, 9, deleted=True)])
        index.truncate()
        assert (index.count(), index.suggest("c", 5, MODERATOR)) == (0, ())
        assert index.write([a_document(1, 1), a_document(2, 1)]) == [WriteOutcome.WRITTEN] * 2

    def test_a_bare_word_is_a_tag_as_long_as_a_live_document_has_it(self, index: SearchIndex) -> None:
        index.write([a_document(1, names="sunset"), a_document(2, words=words("sunset.png"))])
        assert found(index, "sunset") == [1]
        index.write([a_document(1, 2, names="cat")])
        assert found(index, "sunset") == [2]
        assert found(index, '"sunset"') == [2]
        assert found(index, "tag:sunset") == []

    def test_aliases_hold_when_a_query_is_run(self, index: SearchIndex) -> None:
        index.write([a_document(1, names="cat"), a_document(2, names="kitty")])
        assert found(index, "kitty") == [1]
        assert found(index, "ai:kitty,>=50%") == [1]

    def test_only_moderators_see_and_ask_for_what_is_held(self, index: SearchIndex) -> None:
        index.write([a_document(1), a_document(2, visibility=Visibility.HELD, flags=("gore",))])
        assert found(index, "cat") == [1]
        assert found(index, "cat", MODERATOR) == [2, 1]
        assert counts(index, "", "general") == {"cat": 1}
        with pytest.raises(QueryError, match="moderators"):
            found(index, "-(cat or flag:gore)")
        with pytest.raises(QueryError, match="moderators"):
            counts(index, "", "visibility")

    def test_a_wildcard_for_too_many_tags_is_refused(self, index: SearchIndex) -> None:
        index.write([a_document(1, names=" ".join(f"hair_{n}" for n in range(201)))])
        with pytest.raises(QueryError, match="201 tags"):
            found(index, "hair_*")
        assert found(index, "hair_19*") == [1]

    def test_a_choice_among_exclusive_values_leaves_the_others_to_be_seen(self, index: SearchIndex) -> None:
        ratings = ("general", "general", "explicit")
        index.write([a_document(n, rating=rating, people=n) for n, rating in enumerate(ratings, 1)])
        assert counts(index, "rating:explicit", "rating") == {"general": 2, "explicit": 1}
        assert counts(index, "rating:explicit", "people") == {"3+": 1}
        assert counts(index, "rating:explicit people:1", "rating") == {"general": 1}

    def test_suggestions_begin_a_name_or_a_word_in_it(self, index: SearchIndex) -> None:
        index.write([a_document(1, names="sky blue_sky star_(sky) husky"), a_document(2, names="blue_sky")])
        assert index.suggest("SK", 2, ANYBODY) == (
            Suggestion("blue_sky", "general", 2),
            Suggestion("sky", "general", 1),
        )
        assert len(index.suggest("sky", 9, ANYBODY)) == 3
        assert index.suggest("sky", 9, Viewer(collections=frozenset({"two"}))) == ()
        assert index.suggest("%", 9, ANYBODY) == ()

    def test_facets_of_many_matches_are_sampled_and_say_so(self, index: SearchIndex) -> None:
        index.write([a_document(n, names="cat dog") for n in range(1, 20 * SAMPLE_ABOVE)])
        page = index.facets(SearchRequest(parse("cat dog"), ANYBODY), ["general"], 5)
        assert page.sampled is not None
        assert page.sampled < 20 * SAMPLE_ABOVE - 1
        assert index.facets(SearchRequest(parse("cat id:<10"), ANYBODY), ["general"], 5).sampled is None

    @pytest.mark.parametrize("after", ["x", "bmV3ZXN0fDF8MQ", "é", "b2xkZXN0fDIwMjYtMTEtMDF8MQ"])
    def test_a_damaged_cursor_is_refused(self, index: SearchIndex, after: str) -> None:
        with pytest.raises(QueryError, match="first page"):
            index.hits(SearchRequest(Query(), ANYBODY, after=after))

    @pytest.mark.parametrize("limit", [0, 501])
    def test_a_page_has_1_to_500_hits(self, index: SearchIndex, limit: int) -> None:
        with pytest.raises(QueryError, match="1 to 500"):
            index.hits(SearchRequest(Query(), ANYBODY, limit))
