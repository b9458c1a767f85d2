"""Books on a fresh database, over one bucket that no model looks at yet."""

import pytest

from infra.records.pool import Pool
from tests.records.books import Books


@pytest.fixture
def books(pool: Pool) -> Books:
    books = Books(pool)
    books.collection()
    return books
