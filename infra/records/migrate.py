"""Applies the migrations in order, once each, under one lock; refuses a schema newer than this code."""

import re
from dataclasses import dataclass
from importlib import resources

import psycopg

from infra.records.sql import trusted
from schemas.errors import ConfigurationError, TransientError

_FILE = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_LOCK = 0x6E616675  # "nafu": one migrator at a time, whichever host it runs on


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `schemas/sql/migrations`."""

    version: int
    name: str
    text: str


def migrations() -> list[Migration]:
    """All migrations of this code, in order. ValueError when a number is missing or doubled."""
    folder = resources.files("schemas.sql") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if _FILE.match(entry.name))
    found = [Migration(int(name[:4]), name, (folder / name).read_text("utf-8")) for name in names]
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered 0001, 0002 …: {names}")
    return found


def applied(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """The schema's version; 0 for an empty database."""
    if connection.execute("SELECT to_regclass('schema_version')").fetchone() == (None,):
        return 0
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return int(str(row[0])) if row else 0


def migrate(conninfo: str) -> list[str]:
    """Bring a database to this code's schema; returns the names of what was applied.

    Each migration is one transaction with short lock time-outs: a busy table delays the migration (TransientError),
    never the service. ConfigurationError when the database is newer than this code.
    """
    known = migrations()
    done = []
    try:
        with psycopg.connect(conninfo, autocommit=True, application_name="nafuda migrate") as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            version = applied(connection)
            check_version(version, known[-1].version)
            for migration in known[version:]:
                _apply(connection, migration)
                done.append(migration.name)
    except psycopg.errors.LockNotAvailable as error:
        raise TransientError(
            f"a migration waited too long for a lock, nothing was changed by it: {error}; run it again"
        ) from error
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL cannot be reached for migrating: {error}") from error
    return done


def check_version(version: int, known: int) -> None:
    """Refuse a schema that a newer Nafuda made."""
    if version > known:
        raise ConfigurationError(
            f"the database has schema {version}, this Nafuda knows {known}: a newer Nafuda migrated it. "
            "Start that version, or restore a backup made before the upgrade."
        )


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> None:
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '5s'")
        connection.execute("SET LOCAL statement_timeout = '15min'")
        connection.execute(trusted(migration.text))
        connection.execute(
            "INSERT INTO schema_version (version, name) VALUES (%s, %s)", (migration.version, migration.name)
        )
