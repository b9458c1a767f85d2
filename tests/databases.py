"""Databases that tests make and drop."""

import time

import psycopg


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
