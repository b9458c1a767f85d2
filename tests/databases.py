"""Databases that tests make and drop."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


@contextmanager
def own_database(server: str, name: str, template: str = "template1") -> Iterator[str]:
    """libpq keywords of a database that is dropped in the end, for the server may stay."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield psycopg.conninfo.make_conninfo(server, dbname=name)
    drop_database(server, name)


def drop_database(server: str, name: str) -> None:
    """Drop a database. Its owner may end every session but an autovacuum's: that one is waited for."""
    deadline = time.monotonic() + 30
    with psycopg.connect(server, autocommit=True) as connection:
        while True:
            try:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
                return
            except psycopg.errors.InsufficientPrivilege:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


@contextmanager
def away(server: str, database: str) -> Iterator[None]:
    """That database of the server ends all sessions, and takes none."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
