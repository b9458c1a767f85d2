"""Vectors at size: recall@10 of the HNSW index against exact search, and how long each way of being alike takes.

`python -m benchmarks.similar [--count 50000]` fills an embedded PostgreSQL with clustered vectors of 256 numbers, as
encoders give them, and tags by Zipf's law.
"""

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra.embedded.postgres import EmbeddedPostgres
from infra.records.migrate import migrate
from infra.records.pool import Pool, open_pool
from infra.search.postgres import PostgresSearch, PostgresSimilar
from schemas.document import Document, DocumentTag
from schemas.search import Viewer
from schemas.search.similar import QueryVector
from tests.records.books import Books
from tests.search.contract import a_document

WIDTH, TOP = 256, 10
_VIEWER = Viewer()


def main() -> None:
    """Fill, compare, time."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=50_000)
    arguments.add_argument("--queries", type=int, default=200)
    chosen = arguments.parse_args()
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", Path(folder) / "log")
        postgres.start()
        try:
            migrate(postgres.conninfo)
            pool = open_pool(postgres.conninfo, size=4, name="bench")
            vectors = clustered(chosen.count, random)
            similar, records, seconds = fill(pool, vectors, random)
            print(f"{chosen.count} vectors of {WIDTH}, indexed and stored in {seconds:.0f} s")
            report(similar, vectors, records, clustered(chosen.queries, random), random)
            pool.close()
        finally:
            postgres.stop()


def clustered(count: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Vectors of length 1 around a few hundred centres, which are the same for every call."""
    centres = np.random.default_rng(0).normal(size=(300, WIDTH))
    found = centres[random.integers(0, 300, count)] + random.normal(scale=0.8, size=(count, WIDTH))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def fill(
    pool: Pool, vectors: NDArray[np.float32], random: np.random.Generator
) -> tuple[PostgresSimilar, NDArray[np.int64], float]:
    """Images, records, documents and vectors in bulk; the index is there before the vectors, as in service."""
    books, similar, index = Books(pool), PostgresSimilar(pool), PostgresSearch(pool)
    model = books.model("encoder", "embedding")
    books.collection(model)
    assert similar.open_space(model, WIDTH) == ""
    count = len(vectors)
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    hashes = random.integers(-(2**63), 2**63 - 1, count).tolist()
    books.sql(
        "INSERT INTO images (sha256, bytes, format, width, height, frames, phash, colours) "
        "SELECT s, 1, 'PNG', 8, 8, 1, p, '[]' FROM unnest(%s::text[], %s::bigint[]) AS i (s, p)",
        digests, hashes,
    )  # fmt: skip
    books.sql("INSERT INTO records (collection, image, plan) SELECT 1, i.id, 1 FROM images i ORDER BY i.id")
    rows = books.sql("SELECT r.id, r.image FROM records r ORDER BY r.image")
    begun = time.perf_counter()
    into = b"COPY embeddings (image, model, vector) FROM STDIN"
    for start in range(0, count, 1000):  # in parts, as in service: one statement for all would run into its time-out
        with pool.connection() as connection, connection.cursor() as cursor, cursor.copy(into) as copy:
            for (_, image), vector in zip(rows[start : start + 1000], vectors[start : start + 1000], strict=True):
                copy.write_row((image, model, vector.tolist()))
    seconds = time.perf_counter() - begun
    popular = np.minimum(random.zipf(1.2, (count, 30)), 5_000)
    for start in range(0, count, 500):
        index.write([_document(rows[n][0], popular[n]) for n in range(start, min(start + 500, count))])
    books.sql("ANALYZE")
    return similar, np.array([row[0] for row in rows]), seconds


def _document(record: int, tags: NDArray[np.int64]) -> Document:
    return a_document(record, tags=tuple(DocumentTag(f"tag{tag}", "general", 0.9) for tag in set(tags.tolist())))


def report(
    similar: PostgresSimilar,
    vectors: NDArray[np.float32],
    records: NDArray[np.int64],
    queries: NDArray[np.float32],
    random: np.random.Generator,
) -> None:
    """Recall against exact search, and medians."""
    shared = 0
    times = []
    for query in queries:
        exact = set(records[np.argsort(-(vectors @ query))[:TOP]].tolist())
        begun = time.perf_counter()
        found = similar.by_text(QueryVector("encoder", "r1", query), TOP, _VIEWER)
        times.append(time.perf_counter() - begun)
        shared += len(exact & {each.hit.record for each in found})
    print(f"recall@{TOP} {shared / len(queries) / TOP:.4f}; text to image {_told(times)}")
    some = random.choice(records, 100)
    for name, ask in (("vector", similar.by_vector), ("look", similar.by_look), ("tags", similar.by_tags)):
        print(f"by {name}: {_told([_timed(ask, int(record)) for record in some])}")


def _timed(ask: Callable[[int, int, Viewer], object], record: int) -> float:
    begun = time.perf_counter()
    ask(record, TOP, _VIEWER)
    return time.perf_counter() - begun


def _told(times: list[float]) -> str:
    ordered = sorted(times)
    return f"median {statistics.median(times) * 1000:.1f} ms, p95 {ordered[int(0.95 * len(ordered))] * 1000:.1f} ms"


if __name__ == "__main__":
    main()
