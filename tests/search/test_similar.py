"""What is alike: by tags, by look, by vector, for viewers and moderators (R65)."""

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from infra.records.migrate import migrate
from infra.records.pool import Pool, Row, open_pool, session
from infra.search.postgres import PostgresSearch, PostgresSimilar
from schemas.errors import PermanentError
from schemas.pipeline import EMBEDDING
from schemas.record import Visibility
from schemas.results import ModelOutput, StageResult
from schemas.search import Viewer
from schemas.search.similar import Alike, QueryVector
from tests.databases import drop_database
from tests.records.books import Books
from tests.search.contract import a_document

SHOWN = Visibility.SHOWN
EVERYBODY, MODERATOR = Viewer(), Viewer(sees_held=True)


@pytest.fixture
def shelf(pool: Pool) -> "Shelf":
    return Shelf(pool)


class Shelf:
    """Images with tags, hashes and vectors of a space of 8 numbers."""

    def __init__(self, pool: Pool) -> None:
        self.books, self.index, self.similar = Books(pool), PostgresSearch(pool), PostgresSimilar(pool)
        self.model = self.books.model("encoder", EMBEDDING)
        self.books.collection(self.model)
        assert self.similar.open_space(self.model, 8) == ""

    def put(
        self,
        key: str,
        *tags: str,
        phash: int = 0,
        vector: NDArray[np.float32] | None = None,
        visibility: Visibility = SHOWN,
    ) -> int:
        image = self.books.put(key)
        self.books.sql("UPDATE images SET phash = %s WHERE id = %s", phash, image)
        ((record,),) = self.books.sql("SELECT id FROM records WHERE image = %s", image)
        self.index.write([a_document(record, names=" ".join(tags), visibility=visibility)])
        if vector is not None:
            output = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=vector)
            self.books.results.store([StageResult(image, self.model, EMBEDDING, output, 1.0)])
        return int(record)

    def plan(self) -> list[Row]:
        """How the nearest vectors are looked for when sequential scans are dear."""
        with session(self.books.pool) as connection, connection.transaction():
            connection.execute("SET LOCAL search_path = public, vectors")
            connection.execute("SET LOCAL enable_seqscan = off")
            connection.execute("SET LOCAL enable_bitmapscan = off")
            connection.execute("SET LOCAL enable_sort = off")
            asked = f"""EXPLAIN SELECT image FROM embeddings WHERE model = {self.model}
                        ORDER BY vector::vector(8) <=> '[1,0,0,0,0,0,0,0]'::vector(8) LIMIT 9"""
            return connection.execute(asked.encode()).fetchall()


def unit(*numbers: float) -> NDArray[np.float32]:
    vector = np.zeros(8, np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.float32(np.linalg.norm(vector))


def of(found: tuple[Alike, ...]) -> list[int]:
    return [each.hit.record for each in found]


def test_rare_tags_count_more_than_common_ones(shelf: Shelf) -> None:
    me = shelf.put("me", "solo", "girl", "saxophone")
    for n in range(20):
        shelf.put(f"crowd{n}", "solo", "girl", f"other{n}")
    twin = shelf.put("twin", "saxophone", "boy")
    found = shelf.similar.by_tags(me, 5, EVERYBODY)
    assert of(found)[0] == twin
    assert all(0 < each.score <= 1 for each in found) and me not in of(found)


def test_the_score_by_tags_is_the_cosine_of_tf_idf_vectors(shelf: Shelf) -> None:
    me, other, third = shelf.put("a", "x", "y"), shelf.put("b", "x", "z"), shelf.put("c", "y")
    weight = {tag: np.log(1 + 3 / count) ** 2 for tag, count in {"x": 2, "y": 2, "z": 1}.items()}
    wanted = {
        other: weight["x"] / np.sqrt((weight["x"] + weight["y"]) * (weight["x"] + weight["z"])),
        third: weight["y"] / np.sqrt((weight["x"] + weight["y"]) * weight["y"]),
    }
    found = {each.hit.record: each.score for each in shelf.similar.by_tags(me, 9, EVERYBODY)}
    assert found == pytest.approx(wanted, abs=1e-4)


def test_near_duplicates_differ_in_few_bits(shelf: Shelf) -> None:
    base = 0x0123456789ABCDEF
    me = shelf.put("me", phash=base)
    same, near = shelf.put("same", phash=base), shelf.put("near", phash=base ^ 0x8001_0000_0001)
    shelf.put("far", phash=base ^ 0xFFFF_0000_0000)  # sixteen bits in one part
    shelf.put("other", phash=~base & (2**63 - 1))
    found = shelf.similar.by_look(me, 9, EVERYBODY)
    assert [(each.hit.record, each.score) for each in found] == [
        (same, 1.0),
        (near, pytest.approx(1 - 3 / 64, abs=1e-4)),
    ]


def test_a_negative_hash_is_a_hash_like_any_other(shelf: Shelf) -> None:
    me, near = shelf.put("me", phash=-1), shelf.put("near", phash=-2)
    assert of(shelf.similar.by_look(me, 9, EVERYBODY)) == [near]


def test_vectors_are_ordered_by_cosine_and_texts_find_them(shelf: Shelf) -> None:
    me = shelf.put("me", vector=unit(1))
    close, far = shelf.put("close", vector=unit(2, 1)), shelf.put("far", vector=unit(0, 1))
    without = shelf.put("without")
    found = shelf.similar.by_vector(me, 9, EVERYBODY)
    assert of(found) == [close, far] and found[0].score == pytest.approx(2 / 5**0.5, abs=1e-3)
    assert shelf.similar.by_vector(without, 9, EVERYBODY) == ()
    told = shelf.similar.by_text(QueryVector("encoder", "r1", unit(0, 1)), 9, EVERYBODY)
    assert of(told) == [far, close, me]
    assert shelf.similar.by_text(QueryVector("encoder", "another revision", unit(1)), 9, EVERYBODY) == ()


def test_what_a_viewer_may_not_see_is_like_nothing(shelf: Shelf) -> None:
    me = shelf.put("me", "rare", phash=7, vector=unit(1))
    held = shelf.put("held", "rare", phash=7, vector=unit(1), visibility=Visibility.HELD)
    for ask in (shelf.similar.by_tags, shelf.similar.by_look, shelf.similar.by_vector):
        assert of(ask(me, 9, EVERYBODY)) == [] and of(ask(me, 9, MODERATOR)) == [held]
        assert of(ask(me, 9, Viewer(sees_held=True, collections=frozenset({"elsewhere"})))) == []


def test_the_index_of_a_space_finds_what_an_exact_search_finds(shelf: Shelf) -> None:
    """Recall@10 ≥ .95 against exact search; the benchmark measures it at size."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(600, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    records = np.array([shelf.put(f"{n}", vector=vector) for n, vector in enumerate(vectors)])
    hits = 0
    for query in vectors[:20]:
        exact = set(records[np.argsort(-(vectors @ query))[:10]].tolist())
        hits += len(exact & set(of(shelf.similar.by_text(QueryVector("encoder", "r1", query), 10, EVERYBODY))))
    assert hits / 200 >= 0.95
    plan = "\n".join(str(row[0]) for row in shelf.plan())
    assert "embeddings_space_" in plan


def test_without_the_extension_vectors_are_off_and_say_so(server: str) -> None:
    name = "no_vectors"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    place = psycopg.conninfo.make_conninfo(server, dbname=name)
    migrate(place)  # works without it
    pool = open_pool(place, size=2, name="test")
    similar = PostgresSimilar(pool)
    assert "vector" in similar.lacking() and "migrate" in similar.open_space(1, 8)
    assert similar.by_vector(1, 5, EVERYBODY) == ()
    with pytest.raises(PermanentError, match="vector"):
        similar.by_text(QueryVector("m", "r", unit(1)), 5, EVERYBODY)
    pool.close()
    drop_database(server, name)


def test_neighbours_that_are_hidden_do_not_hide_those_behind_them(shelf: Shelf) -> None:
    me = shelf.put("me", vector=unit(1))
    for n in range(60):
        shelf.put(f"held{n}", vector=unit(1, 0.01 + n / 10_000), visibility=Visibility.HELD)
    far = shelf.put("far", vector=unit(1, 0.5))
    assert of(shelf.similar.by_vector(me, 5, EVERYBODY)) == [far]
    assert len(shelf.similar.by_vector(me, 5, MODERATOR)) == 5
