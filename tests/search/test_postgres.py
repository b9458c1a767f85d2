"""The contract over the index on PostgreSQL, and what is its own: turns, counters, ways of running a query."""

import threading
from collections.abc import Iterator

import pytest

from infra.records.pool import Pool, open_pool, session
from infra.search.postgres import PostgresSearch, paging
from schemas.search import Query, SearchRequest, parse
from tests.databases import own_database
from tests.search.contract import ALIASES, ANYBODY, SAMPLE_ABOVE, SearchContract, a_document


@pytest.fixture(scope="module")
def shared(server: str, template: str) -> Iterator[Pool]:
    """One database for the suite: tests truncate it, which is faster than a new one each."""
    with own_database(server, f"{template}_search", template) as place:
        pool = open_pool(place, size=4, name="test")
        yield pool
        pool.close()


@pytest.fixture
def index(shared: Pool) -> PostgresSearch:
    """An empty index."""
    index = PostgresSearch(shared, lambda name: ALIASES.get(name, name), sample_above=SAMPLE_ABOVE)
    index.truncate()
    return index


class TestPostgresSearch(SearchContract):
    """Everything that every index does."""


def test_two_processes_may_write_the_same_names_at_once(pool: Pool) -> None:  # R74
    def write(writer: int) -> None:
        index = PostgresSearch(pool)
        for n in range(15):
            index.write([a_document(record, n, names=f"cat tag{n} dog") for record in range(9, 0, -1)])
        done.append(writer)

    done: list[int] = []
    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    with session(pool) as connection:
        numbers = [row[0] for row in connection.execute("SELECT id FROM search_term ORDER BY id")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_truncated_index_is_written_by_others_who_remember_its_names(pool: Pool) -> None:
    one, two = PostgresSearch(pool), PostgresSearch(pool)
    one.write([a_document(1)])
    two.truncate()
    one.write([a_document(1)])
    assert [hit.record for hit in two.hits(SearchRequest(parse("cat"), ANYBODY)).hits] == [1]


def test_what_nothing_was_asked_of_is_counted_exactly_however_many(index: PostgresSearch) -> None:
    index.write([a_document(n, names="cat dog") for n in range(1, 2 * SAMPLE_ABOVE)])
    page = index.facets(SearchRequest(Query(), ANYBODY), ["general"], 5)
    assert page.sampled is None and page.facets[0].values[0].count == 2 * SAMPLE_ABOVE - 1


def test_walking_and_finding_all_give_the_same_pages(index: PostgresSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    index.write([a_document(n, names="cat" if n % 3 else "dog") for n in range(1, 300)])
    request = SearchRequest(parse("cat -dog width:>=1000 order:oldest"), ANYBODY, 20)
    few = index.hits(request)
    monkeypatch.setattr(paging, "FEW", 10)
    many = index.hits(request)
    assert (many.hits, many.next) == (few.hits, few.next)
    assert (few.exact, many.exact) == (True, False)
    assert 100 <= many.total <= 300


def test_a_walk_that_finds_too_little_finds_all_instead(index: PostgresSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "FEW", 10)
    monkeypatch.setattr(paging, "DEEPEST", 30)
    index.write([a_document(n, names="cat" if n < 100 else "dog") for n in range(1, 300)])
    page = index.hits(SearchRequest(parse("cat width:1000"), ANYBODY, 5))
    assert [hit.record for hit in page.hits] == [99, 98, 97, 96, 95]
    assert (page.total, page.exact) == (99, True)


def test_counters_equal_the_documents_after_every_kind_of_write(pool: Pool) -> None:  # R68
    index = PostgresSearch(pool)
    index.write([a_document(n, names=f"cat tag{n}") for n in range(5)])
    index.write([a_document(1, 2, deleted=True), a_document(2, 2, names="dog"), a_document(3, 0)])
    index.write([a_document(4, 2, collection="two"), a_document(1, 3, names="bird")])
    with session(pool) as connection:
        counted = connection.execute(
            "SELECT collection, term, live, shown FROM search_count WHERE live > 0 ORDER BY 1, 2"
        ).fetchall()
        true = connection.execute(
            "SELECT collection, unnest(terms) AS term, count(*), count(*) FILTER (WHERE shown)"
            " FROM search_document WHERE NOT deleted GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
    assert counted == true
    assert index.facets(SearchRequest(Query(), ANYBODY), ["collection"], 5).facets[0].values[0].count == 4
