"""A space that is opened late: its index is made over the vectors that are there, and over no other model's (R65)."""

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.records.pool import Pool, session
from infra.search.postgres.similar import PostgresSimilar
from schemas.pipeline import EMBEDDING
from schemas.results import ModelOutput, StageResult
from tests.records.books import Books

pytestmark = pytest.mark.vectors

WIDTH = 8
NONE = np.zeros(0, np.float32)


def place(books: Books, model: int, image: int, vector: NDArray[np.float32]) -> None:
    output = ModelOutput(np.zeros(0, np.int16), NONE, vector=vector)
    books.results.store([StageResult(image, model, EMBEDDING, output, 1.0)])


def index(books: Books, model: int) -> list[tuple[object, ...]]:
    """(valid, rows in it) of a space's index, or nothing."""
    return books.sql(
        """SELECT i.indisvalid, c.reltuples::int FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
           WHERE c.relname = %s""",
        f"embeddings_space_{model}",
    )


def nearest(books: Books, model: int, vector: NDArray[np.float32]) -> list[int]:
    rows = books.sql("SELECT image FROM nafuda_nearest(%s, %s::real[], 10)", model, vector.tolist())
    return [int(row[0]) for row in rows]


def plan(books: Books, model: int) -> str:
    """How the nearest are looked for when sorting everything is dear."""
    with session(books.pool) as connection, connection.transaction():
        for setting in ("search_path = public, vectors", "enable_seqscan = off", "enable_sort = off"):
            connection.execute(f"SET LOCAL {setting}".encode())
        asked = f"""EXPLAIN SELECT image FROM embeddings WHERE model = {model}
                    ORDER BY vector::vector({WIDTH}) <=> '[1,0,0,0,0,0,0,0]'::vector({WIDTH}) LIMIT 9"""
        return "\n".join(str(row[0]) for row in connection.execute(asked.encode()))


@pytest.fixture
def books(pool: Pool) -> Books:
    return Books(pool)


@pytest.fixture
def vectors() -> NDArray[np.float32]:
    found = np.random.default_rng(9).normal(size=(200, WIDTH)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def test_a_space_that_is_opened_over_vectors_finds_them_and_those_that_come_later(
    books: Books, vectors: NDArray[np.float32]
) -> None:
    encoder, other = books.model("encoder", EMBEDDING), books.model("other", EMBEDDING)
    books.collection(encoder, other)
    images = [books.put(f"{number}.png") for number in range(len(vectors))]
    for image, vector in zip(images[:150], vectors, strict=False):
        place(books, encoder, image, vector)
        place(books, other, image, vector[:3])  # of another width: must not be met
    assert index(books, encoder) == []
    similar = PostgresSimilar(books.pool)
    assert similar.open_space(encoder, WIDTH) == ""
    assert index(books, encoder) == [(True, 150)]
    assert index(books, other) == []
    for image, vector in zip(images[150:], vectors[150:], strict=True):
        place(books, encoder, image, vector)
    assert similar.open_space(encoder, WIDTH) == ""  # again does no harm
    assert f"embeddings_space_{encoder}" in plan(books, encoder)
    exact = [{images[n] for n in np.argsort(-(vectors @ vector))[:10]} for vector in vectors]
    met = [len(wanted & set(nearest(books, encoder, vector))) for wanted, vector in zip(exact, vectors, strict=True)]
    assert sum(met) >= 0.95 * 10 * len(vectors)


def test_two_spaces_of_different_widths_are_opened_over_their_own_vectors(
    books: Books, vectors: NDArray[np.float32]
) -> None:
    wide, narrow = books.model("wide", EMBEDDING), books.model("narrow", EMBEDDING)
    books.collection(wide, narrow)
    images = [books.put(f"{number}.png") for number in range(20)]
    for image, vector in zip(images, vectors, strict=False):
        place(books, wide, image, vector)
        place(books, narrow, image, vector[:3] / np.linalg.norm(vector[:3]))
    similar = PostgresSimilar(books.pool)
    for model, width in ((wide, WIDTH), (narrow, 3)):
        assert similar.open_space(model, width) == ""
        assert index(books, model) == [(True, 20)]
        assert nearest(books, model, vectors[4][:width])[0] == images[4]
