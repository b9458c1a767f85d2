"""Migrations: in order, once, under a lock, and never backwards."""

import os
import threading

import psycopg
import pytest

from infra.records.migrate import migrate, migrations
from schemas.errors import ConfigurationError
from tests.databases import drop_database


def test_a_migrated_database_needs_nothing_more(database: str) -> None:
    assert migrate(database) == []


def test_a_schema_of_a_newer_nafuda_is_refused_with_the_remedy(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_version (version, name) VALUES (9999, 'future')")
    with pytest.raises(ConfigurationError, match=r"schema 9999.*newer Nafuda"):
        migrate(database)


def test_two_migrators_at_once_apply_each_migration_once(server: str) -> None:
    name = f"race_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    done: list[str] = []
    target = psycopg.conninfo.make_conninfo(server, dbname=name)
    threads = [threading.Thread(target=lambda: done.extend(migrate(target))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drop_database(server, name)
    assert done == [migration.name for migration in migrations()]
