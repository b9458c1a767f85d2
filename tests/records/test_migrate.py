"""Migrations: in order, once, under a lock, and never backwards."""

import os
import threading
from collections.abc import Iterator

import psycopg
import pytest

from infra.records.migrate import _apply, migrate, migrations
from infra.records.pool import open_pool
from schemas.errors import ConfigurationError
from tests.databases import own_database
from tests.records.books import Books


def test_a_migrated_database_needs_nothing_more(database: str) -> None:
    assert migrate(database) == []


def test_a_schema_of_a_newer_nafuda_is_refused_with_the_remedy(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_version (version, name) VALUES (9999, 'future')")
    with pytest.raises(ConfigurationError, match=r"schema 9999.*newer Nafuda"):
        migrate(database)


@pytest.fixture
def older(server: str) -> Iterator[str]:
    """A database as the version before the newest migration made it."""
    with own_database(server, f"older_{os.getpid()}") as target:
        with psycopg.connect(target, autocommit=True) as connection:
            for each in migrations()[:-1]:
                _apply(connection, each)
        yield target


def test_workers_with_prepared_statements_go_on_while_the_newest_migration_is_applied(older: str) -> None:
    """R71: expand, then contract; what a migration takes away, the code before it did not use."""
    pool = open_pool(older, size=1, name="test")
    try:
        books = Books(pool)
        model = books.model("tagger")
        books.collection(model)
        for number in range(14):  # psycopg prepares what is said more than five times
            if number == 7:
                assert migrate(older) == [migrations()[-1].name]
            image = books.put(f"{number}.png")
            books.say(model, image, sword=0.9)
            books.merge()
            assert books.records.record(books.records.find(f"{number}.png")).tags[0].name == "sword"
    finally:
        pool.close()


def test_two_migrators_at_once_apply_each_migration_once(server: str) -> None:
    done: list[str] = []
    with own_database(server, f"race_{os.getpid()}") as target:
        threads = [threading.Thread(target=lambda: done.extend(migrate(target))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert done == [migration.name for migration in migrations()]
