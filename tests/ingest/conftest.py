"""A plant on a fresh database and folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.records.pool import Pool
from tests.ingest.plant import Plant
from tests.records.books import Books
from workers.decode.pool import DecodePool


@pytest.fixture(scope="session")
def decoder() -> Iterator[DecodePool]:
    with DecodePool(1) as decoder:
        yield decoder


@pytest.fixture
def plant(tmp_path: Path, pool: Pool, decoder: DecodePool) -> Plant:
    books = Books(pool)
    books.collection(books.model("tagger"))
    return Plant(tmp_path, books, decoder)
