"""Fixtures for every suite: one PostgreSQL a process, a fresh database a test; on the stack, a bucket that tells."""

import itertools
import os
from collections.abc import Iterator

import pytest
from botocore.client import BaseClient

from infra.embedded.postgres import EmbeddedPostgres
from infra.records.migrate import migrate
from infra.records.pool import Pool, open_pool
from tests.databases import own_database
from tests.stack.telling import client, telling_bucket

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


@pytest.fixture(scope="module")
def s3() -> Iterator[BaseClient]:
    """What people upload with; for tests on the stack."""
    with client() as s3:
        yield s3


@pytest.fixture
def bucket(s3: BaseClient) -> Iterator[str]:
    """A bucket on the stack that tells what is stored in it."""
    with telling_bucket(s3) as name:
        yield name
