"""The search index on OpenSearch: the contract suite on a real node, and what is its own."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.records.pool import Pool
from infra.search.opensearch import Editions, OpenSearchIndex, OpenSearchSimilar, connect, writing
from infra.search.opensearch import index as index_module
from infra.search.opensearch.client import Client
from infra.search.opensearch.compile import confidence_terms
from infra.search.opensearch.documents import lot, tokens
from schemas.document import DocumentTag
from schemas.errors import ConfigurationError, ConflictError, TransientError
from schemas.search import SearchRequest, Suggestion, WriteOutcome, parse
from tests.records.books import Books
from tests.search.contract import ALIASES, ANYBODY, SAMPLE_ABOVE, SearchContract, a_document, counts, found
from tests.search.similar_contract import Shelf, SimilarContract, unit
from tests.stack.given import given
from tests.stack.searching import own_index

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of the stack's node."""
    client = connect(given("NAFUDA_TEST_OPENSEARCH_URL"), timeout=timedelta(seconds=30), connections=4)
    yield client
    client.close()


@pytest.fixture(scope="module")
def editions(client: Client) -> Iterator[Editions]:
    """Editions under a name of this module's own."""
    with own_index() as name:
        yield Editions(client, name)


@pytest.fixture
def index(client: Client, editions: Editions) -> OpenSearchIndex:
    """An empty index."""
    index = OpenSearchIndex(client, editions, lambda name: ALIASES.get(name, name), sample_above=SAMPLE_ABOVE)
    index.truncate()
    return index


class TestOpenSearch(SearchContract):
    """Everything that every index does."""


@pytest.fixture
def shelf(pool: Pool, index: OpenSearchIndex) -> Shelf:
    return Shelf(Books(pool), index, OpenSearchSimilar(index, pool))


class TestOpenSearchSimilar(SimilarContract):
    """Everything that every adapter of likeness does."""


def test_an_index_whose_name_begins_alike_is_none_of_ours(index: OpenSearchIndex, client: Client) -> None:
    other = Editions(client, index.editions.name + "-other")
    theirs = other.ensure()
    assert theirs.name not in {edition.name for edition in index.editions.all()}
    index.truncate()
    assert other.all() == [theirs]
    other.client.indices.delete(index=theirs.name)


def test_a_new_edition_holds_the_same_vectors(shelf: Shelf, index: OpenSearchIndex) -> None:
    me, near = shelf.put("me", vector=unit(1)), shelf.put("near", vector=unit(1, 1))
    made = index.editions.begin()
    index.only(made).write(
        [a_document(me, vectors=((shelf.model, unit(1)),)), a_document(near, vectors=((shelf.model, unit(1, 1)),))]
    )
    index.editions.read_from(made.name)
    assert [each.hit.record for each in shelf.similar.by_vector(me, 5, ANYBODY)] == [near]


def test_a_confidence_is_found_by_whole_buckets_and_single_steps(index: OpenSearchIndex) -> None:
    """Every pair of limits stands for the terms of exactly the confidences between them."""
    terms = {held: set(tokens("cat", held)) for held in range(1001)}
    for low, high in ((0, 1000), (0, 0), (1000, 1000), (37, 38), (50, 99), (51, 99), (349, 350), (873, 1000), (5, 4)):
        wanted = set(confidence_terms("cat", low, high))
        assert [held for held, own in terms.items() if own & wanted] == list(range(low, high + 1))
        assert len(wanted) <= 21 + 2 * 49


def test_one_document_that_is_refused_spoils_no_other(index: OpenSearchIndex, caplog: pytest.LogCaptureFixture) -> None:
    long = "x" * 40_000  # a term of an inverted index has 32,766 bytes at most
    batch = [a_document(1), a_document(2, names=long), a_document(3)]
    assert index.write(batch) == [WriteOutcome.WRITTEN, WriteOutcome.REFUSED, WriteOutcome.WRITTEN]
    assert found(index, "") == [3, 1]
    assert "refuses record 2" in caplog.text


def test_a_batch_larger_than_a_request_is_written_whole(
    index: OpenSearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_MOST_BYTES", 3_000)
    monkeypatch.setattr(writing, "_MOST", 40)
    assert index.write([a_document(n) for n in range(1, 101)]) == [WriteOutcome.WRITTEN] * 100
    assert index.count() == 100


def test_more_records_than_a_request_names_are_forgotten(
    index: OpenSearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_FORGOTTEN", 3)
    index.write([a_document(n) for n in range(1, 9)])
    index.forget(range(1, 8))
    assert index.revisions(0, 9) == [(8, 1)]


def test_an_index_that_was_lost_is_not_made_anew_without_its_mapping(index: OpenSearchIndex, client: Client) -> None:
    index.write([a_document(1)])
    client.indices.delete(index=[edition.name for edition in index.editions.all()])
    with pytest.raises(TransientError, match="no such index"):
        index.write([a_document(2)])
    for ask in (index.count, lambda: found(index, "cat"), lambda: counts(index, "", "general")):
        with pytest.raises(TransientError):
            ask()
    assert index.editions.all() == []
    assert index.prepare() and index.prepare()  # it says so until it is filled
    index.filled()
    assert not index.prepare()
    assert index.write([a_document(1)]) == [WriteOutcome.WRITTEN]


def test_a_field_that_an_edition_lacks_is_added_and_one_of_another_type_is_refused(
    index: OpenSearchIndex, client: Client
) -> None:
    (edition,) = index.editions.all()
    client.indices.put_mapping(index=edition.name, body={"_meta": {"filled": True, "shape": "of another time"}})
    assert index.prepare() is False
    assert index.editions.all()[0].shape == edition.shape
    client.indices.delete(index=edition.name)
    older = {"properties": {"width": {"type": "keyword"}}, "_meta": {"filled": True}}
    aliases: dict[str, object] = {index.editions.name: {}, edition.target: {}}
    client.indices.create(index=edition.name, body={"mappings": older, "aliases": aliases})
    with pytest.raises(ConfigurationError, match="rebuild"):
        index.prepare()


def test_deletions_of_our_own_survive_and_keep_late_writes_out(index: OpenSearchIndex, client: Client) -> None:  # R74
    index.write([a_document(1, 5)])
    index.write([a_document(1, 9, deleted=True)])
    (edition,) = index.editions.all()
    client.indices.flush(index=edition.name, force=True)
    client.indices.close(index=edition.name)
    client.indices.open(index=edition.name)
    client.cluster.health(index=edition.name, wait_for_status="green", timeout=20)
    assert index.write([a_document(1, 8)]) == [WriteOutcome.STALE]
    assert index.count() == 0


def test_searches_move_to_another_edition_without_a_gap(index: OpenSearchIndex) -> None:  # R74
    index.write([a_document(1)])
    made = index.editions.begin()
    index.write([a_document(2)])
    new = index.only(made)
    assert (found(index, ""), found(new, "")) == ([2, 1], [2])
    new.write([a_document(1)])
    stop, seen = threading.Event(), set()

    def search() -> None:
        while not stop.is_set():
            seen.add(tuple(found(index, "")))

    searching = threading.Thread(target=search)
    searching.start()
    index.editions.read_from(made.name)
    stop.set()
    searching.join()
    assert seen == {(2, 1)}
    with pytest.raises(ConflictError, match="searched"):
        index.editions.drop([made.name])


@pytest.mark.parametrize(
    ("address", "code"), [("http://127.0.0.1:9", "search-away"), ("http://127.0.0.1:9/x", "search-away")]
)
def test_a_server_that_is_away_is_transient(address: str, code: str) -> None:  # R72
    client = connect(address, timeout=timedelta(seconds=1), connections=1)
    index = OpenSearchIndex(client, Editions(client, "test"))
    for ask in (lambda: index.write([a_document(1)]), index.count, index.prepare, lambda: found(index, "cat")):
        with pytest.raises(TransientError) as caught:
            ask()
        assert caught.value.code == "search-away" and "NAFUDA_SEARCH_URL" in str(caught.value)
    index.close()


def test_a_name_and_password_are_sent_and_not_told() -> None:
    client = connect("https://mia:s%40cret@search.example:9200/x", timeout=timedelta(seconds=1), connections=1)
    (connection,) = client.transport.connection_pool.connections
    assert connection.headers["authorization"].startswith("Basic ")
    assert "cret" not in repr(connection)


def test_suggestions_come_from_unheard_of_categories_too(index: OpenSearchIndex) -> None:
    index.write([a_document(1, tags=(DocumentTag("skyline", "scene", 0.9), DocumentTag("sky", "general", 0.9)))])
    told = index.suggest("sky", 5, ANYBODY)
    assert told == (Suggestion("sky", "general", 1), Suggestion("skyline", "scene", 1))


def test_samples_are_fair(index: OpenSearchIndex) -> None:
    """Lots of neighbouring records are spread evenly: a tenth of them holds about a tenth of any run."""
    assert all(0 <= lot(record) < 1000 for record in (1, 2, 2**40))
    for start in (0, 10**6):
        drawn = sum(lot(record) < 100 for record in range(start, start + 5_000))
        assert 450 < drawn < 550
    index.write([a_document(n, names="cat" if n % 4 else "cat dog") for n in range(1, 20 * SAMPLE_ABOVE)])
    page = index.facets(SearchRequest(parse("cat"), ANYBODY), ["general"], 5)
    assert page.sampled is not None
    assert page.facets[0].values[0].count == pytest.approx(20 * SAMPLE_ABOVE, rel=0.6)
