"""What is alike, on PostgreSQL: the contract suite, and what is its own (R65)."""

import os

import pytest

from infra.records.migrate import migrate
from infra.records.pool import Pool, Row, open_pool, session
from infra.search.postgres import PostgresSearch, PostgresSimilar
from schemas.errors import PermanentError
from schemas.search.similar import QueryVector
from tests.databases import own_database
from tests.records.books import Books
from tests.search.similar_contract import EVERYBODY, Shelf, SimilarContract, unit


@pytest.fixture
def shelf(pool: Pool) -> Shelf:
    return Shelf(Books(pool), PostgresSearch(pool), PostgresSimilar(pool))


class TestPostgresSimilar(SimilarContract):
    """Everything that every adapter does."""


@pytest.mark.vectors
def test_the_nearest_are_found_through_the_index_of_their_space(shelf: Shelf) -> None:
    for n in range(30):
        shelf.put(f"{n}", vector=unit(1, n))
    assert "embeddings_space_" in "\n".join(str(row[0]) for row in plan(shelf))


def plan(shelf: Shelf) -> list[Row]:
    """How the nearest vectors are looked for when sequential scans are dear."""
    with session(shelf.books.pool) as connection, connection.transaction():
        connection.execute("SET LOCAL search_path = public, vectors")
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        connection.execute("SET LOCAL enable_sort = off")
        asked = f"""EXPLAIN SELECT image FROM embeddings WHERE model = {shelf.model}
                    ORDER BY vector::vector(8) <=> '[1,0,0,0,0,0,0,0]'::vector(8) LIMIT 9"""
        return connection.execute(asked.encode()).fetchall()


def test_without_the_extension_vectors_are_off_and_say_so(server: str) -> None:
    with own_database(server, f"no_vectors_{os.getpid()}", "template0") as place:
        migrate(place)  # works without it
        pool = open_pool(place, size=2, name="test")
        similar = PostgresSimilar(pool)
        assert "vector" in similar.lacking() and "migrate" in similar.open_space(1, 8)
        assert similar.by_vector(1, 5, EVERYBODY) == ()
        with pytest.raises(PermanentError, match="vector"):
            similar.by_text(QueryVector("m", "r", unit(1)), 5, EVERYBODY)
        pool.close()
