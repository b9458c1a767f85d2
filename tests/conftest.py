"""Fixtures for every suite: one PostgreSQL a test process, a fresh database a test, copied from a template."""

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest

from infra.embedded.postgres import EmbeddedPostgres
from infra.records.migrate import migrate
from infra.records.pool import Pool, open_pool
from tests.databases import drop_database

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
    """The name of a migrated database to copy from; dropped in the end, for the server may stay."""
    name = f"template_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    migrate(_in(server, name))
    yield name
    drop_database(server, name)


@pytest.fixture
def database(server: str, template: str) -> Iterator[str]:
    """libpq keywords of a fresh, migrated database."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _in(server, name)
    drop_database(server, name)


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    """A small pool on the fresh database."""
    pool = open_pool(database, size=8, name="test")
    yield pool
    pool.close()


def _in(server: str, name: str) -> str:
    return psycopg.conninfo.make_conninfo(server, dbname=name)
