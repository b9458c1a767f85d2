"""The contract suite of `SimilarImages` (R65): an adapter's test module inherits it and gives the `shelf` fixture."""

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.pipeline import EMBEDDING
from schemas.record import Visibility
from schemas.results import ModelOutput, StageResult
from schemas.search import SearchIndex, Viewer
from schemas.search.similar import Alike, QueryVector, SimilarImages
from tests.records.books import Books
from tests.search.contract import a_document

SHOWN = Visibility.SHOWN
EVERYBODY, MODERATOR = Viewer(), Viewer(sees_held=True)


class Shelf:
    """Images with tags, hashes and vectors of a space of 8 numbers, in records and in an index."""

    def __init__(self, books: Books, index: SearchIndex, similar: SimilarImages) -> None:
        self.books, self.index, self.similar = books, index, similar
        self.model = books.model("encoder", EMBEDDING)
        books.collection(self.model)
        self.lacking = similar.open_space(self.model, 8)

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
        vectors = () if vector is None else ((self.model, vector),)
        made = a_document(record, names=" ".join(tags), visibility=visibility, phash=phash, vectors=vectors)
        self.index.write([made])
        if vector is not None:
            assert self.lacking == ""
            output = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=vector)
            self.books.results.store([StageResult(image, self.model, EMBEDDING, output, 1.0)])
        return int(record)


def unit(*numbers: float) -> NDArray[np.float32]:
    vector = np.zeros(8, np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.float32(np.linalg.norm(vector))


def of(found: tuple[Alike, ...]) -> list[int]:
    return [each.hit.record for each in found]


class SimilarContract:
    """What every adapter does."""

    def test_rare_tags_count_more_than_common_ones(self, shelf: Shelf) -> None:
        me = shelf.put("me", "solo", "girl", "saxophone")
        for n in range(20):
            shelf.put(f"crowd{n}", "solo", "girl", f"other{n}")
        twin = shelf.put("twin", "saxophone", "boy")
        found = shelf.similar.by_tags(me, 5, EVERYBODY)
        assert of(found)[0] == twin
        assert all(0 < each.score <= 1 for each in found) and me not in of(found)

    def test_the_score_by_tags_is_the_cosine_of_tf_idf_vectors(self, shelf: Shelf) -> None:
        me, other, third = shelf.put("a", "x", "y"), shelf.put("b", "x", "z"), shelf.put("c", "y")
        weight = {tag: np.log(1 + 3 / count) ** 2 for tag, count in {"x": 2, "y": 2, "z": 1}.items()}
        wanted = {
            other: weight["x"] / np.sqrt((weight["x"] + weight["y"]) * (weight["x"] + weight["z"])),
            third: weight["y"] / np.sqrt((weight["x"] + weight["y"]) * weight["y"]),
        }
        found = {each.hit.record: each.score for each in shelf.similar.by_tags(me, 9, EVERYBODY)}
        assert found == pytest.approx(wanted, abs=1e-4)

    def test_near_duplicates_differ_in_few_bits(self, shelf: Shelf) -> None:
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

    def test_a_negative_hash_is_a_hash_like_any_other(self, shelf: Shelf) -> None:
        me, near = shelf.put("me", phash=-1), shelf.put("near", phash=-2)
        assert of(shelf.similar.by_look(me, 9, EVERYBODY)) == [near]

    @pytest.mark.vectors
    def test_vectors_are_ordered_by_cosine_and_texts_find_them(self, shelf: Shelf) -> None:
        me = shelf.put("me", vector=unit(1))
        close, far = shelf.put("close", vector=unit(2, 1)), shelf.put("far", vector=unit(0, 1))
        without = shelf.put("without")
        found = shelf.similar.by_vector(me, 9, EVERYBODY)
        assert of(found) == [close, far] and found[0].score == pytest.approx(2 / 5**0.5, abs=1e-3)
        assert shelf.similar.by_vector(without, 9, EVERYBODY) == ()
        told = shelf.similar.by_text(QueryVector("encoder", "r1", unit(0, 1)), 9, EVERYBODY)
        assert of(told) == [far, close, me]
        assert shelf.similar.by_text(QueryVector("encoder", "another revision", unit(1)), 9, EVERYBODY) == ()

    @pytest.mark.vectors
    def test_a_samples_space_is_asked_only_for_want_of_another(self, shelf: Shelf) -> None:
        """R10: also where the sample came later, as its new revision does with a new version of Nafuda."""
        me, close = shelf.put("me", vector=unit(1)), shelf.put("close", vector=unit(2, 1))
        sample = shelf.books.model("a sample", EMBEDDING, sample=True)
        assert shelf.similar.open_space(sample, 8) == ""
        (image,) = shelf.books.sql("SELECT image FROM records WHERE id = %s", me)[0]
        said = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=unit(0, 1))
        shelf.books.results.store([StageResult(image, sample, EMBEDDING, said, 1.0)])
        assert of(shelf.similar.by_vector(me, 9, EVERYBODY)) == [close]

    @pytest.mark.vectors
    def test_what_is_below_a_texts_floor_is_no_hit(self, shelf: Shelf) -> None:
        """R65: however few hits there are. Pictures that are like a picture have no floor."""
        near, square = shelf.put("near", vector=unit(4, 3)), shelf.put("square", vector=unit(0, 1))
        away = shelf.put("away", vector=unit(-1, 1))
        shelf.put("opposite", vector=unit(-1))

        def found(floor: float, limit: int = 9) -> list[int]:
            return of(shelf.similar.by_text(QueryVector("encoder", "r1", unit(1), floor), limit, EVERYBODY))

        assert found(0.0) == [near, square] and found(0.0, 1) == [near]
        assert found(0.8) == [near]  # the floor itself is reached
        assert found(0.81) == []
        told = shelf.similar.by_text(QueryVector("encoder", "r1", unit(-1), -1.0), 9, EVERYBODY)
        assert [each.score for each in told] == sorted((each.score for each in told), reverse=True) and len(told) == 4
        assert found(-0.7072) == [near, square, away] and found(-0.7) == [near, square]
        assert len(shelf.similar.by_vector(near, 9, EVERYBODY)) == 3

    @pytest.mark.parametrize("way", ["by_tags", "by_look", pytest.param("by_vector", marks=pytest.mark.vectors)])
    def test_what_a_viewer_may_not_see_is_like_nothing(self, shelf: Shelf, way: str) -> None:
        vector = unit(1) if way == "by_vector" else None
        me = shelf.put("me", "rare", phash=7, vector=vector)
        held = shelf.put("held", "rare", phash=7, vector=vector, visibility=Visibility.HELD)
        ask = getattr(shelf.similar, way)
        assert of(ask(me, 9, EVERYBODY)) == [] and of(ask(me, 9, MODERATOR)) == [held]
        assert of(ask(me, 9, Viewer(sees_held=True, collections=frozenset({"elsewhere"})))) == []

    @pytest.mark.vectors
    def test_the_index_of_a_space_finds_what_an_exact_search_finds(self, shelf: Shelf) -> None:
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

    @pytest.mark.vectors
    def test_neighbours_that_are_hidden_do_not_hide_those_behind_them(self, shelf: Shelf) -> None:
        me = shelf.put("me", vector=unit(1))
        for n in range(60):
            shelf.put(f"held{n}", vector=unit(1, 0.01 + n / 10_000), visibility=Visibility.HELD)
        far = shelf.put("far", vector=unit(1, 0.5))
        assert of(shelf.similar.by_vector(me, 5, EVERYBODY)) == [far]
        assert len(shelf.similar.by_vector(me, 5, MODERATOR)) == 5
