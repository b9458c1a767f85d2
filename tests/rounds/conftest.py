"""A worker's parts on a fresh database and folder, with a broker in memory."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.records.pool import open_pool
from infra.settings import Settings
from tasks.services import Services
from tests.records.books import Books

CHUNK = 4


@pytest.fixture
def services(tmp_path: Path, database: str) -> Iterator[Services]:
    """Its pool waits for no lock longer than a moment."""
    settings = Settings(data=tmp_path, database_url=database, broker_url="memory://", chunk=CHUNK)
    services = Services(settings, ("vision",))
    services.__dict__["pool"] = open_pool(database, size=6, name="test", statement_timeout=timedelta(seconds=1))
    services.store.make_bucket("images")
    services.work.beat()
    yield services
    services.close()


@pytest.fixture
def books(services: Services) -> Books:
    books = Books(services.pool)
    books.collection(books.model("tagger"))
    return books
