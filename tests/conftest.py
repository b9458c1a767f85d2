"""Fixtures for every suite: one PostgreSQL a test process, a fresh database a test, copied from a template."""

import itertools
import os
from collections.abc import Iterator

import pytest

from infra.embedded.postgres import EmbeddedPostgres
from infra.records.migrate import migrate
from infra.records.pool import Pool, open_pool
from tests.databases import own_database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """libpq keywords of a server for this test process: an own one, or NAFUDA_TEST_DATABASE_URL."""
    if url := os.environ.get("NAFUDA_TEST_DATABASE_URL"):
        yield url
        return
    folder = tmp_path_factory.mktemp("server")
    postgres = EmbeddedPostgres(folder / "postgres", folder / "postgres.log")
    postgres.start()
    yield postgres.conninfo
    postgres.stop()


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """The name of a migrated database to copy from."""
    name = f"template_{os.getpid()}"
    with own_database(server, name) as place:
        migrate(place)
        yield name


@pytest.fixture
def database(server: str, template: str) -> Iterator[str]:
    """libpq keywords of a fresh, migrated database."""
    with own_database(server, f"test_{os.getpid()}_{next(_numbers)}", template) as place:
        yield place


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    """A small pool on the fresh database."""
    pool = open_pool(database, size=8, name="test")
    yield pool
    pool.close()
