"""Backup and restore of the records with PostgreSQL's own tools; an embedded server is started when none runs."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg

from infra.embedded.lock import DataLock
from infra.embedded.postgres import EmbeddedPostgres, binary
from infra.records.migrate import applied, check_version, migrations
from infra.settings import INSTANCE, Settings
from schemas.errors import ConfigurationError, ConflictError, PermanentError


def back_up(settings: Settings, file: Path) -> int:
    """Write a backup; it is complete or not there. Returns its size in bytes."""
    fresh = file.with_name(file.name + ".part")
    with _database(settings) as database:
        try:
            _tool(
                "pg_dump",
                "--format=custom",
                "--no-owner",
                "--exclude-schema=pgmq",
                f"--file={fresh}",
                f"--dbname={database}",
            )
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
    return file.stat().st_size


def restore_into(settings: Settings, file: Path, *, replace: bool) -> None:
    """Read a backup in one transaction. ConflictError when the database holds something, unless `replace`."""
    if (settings.data / INSTANCE).exists():
        raise ConflictError("Nafuda runs on this data folder: stop it first, then restore")
    with _database(settings) as database:
        with psycopg.connect(database, autocommit=True) as connection:
            if applied(connection) and not replace:
                raise ConflictError("the database is not empty; give --replace to lose what it holds now")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        _tool("pg_restore", "--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={database}", str(file))
        with psycopg.connect(database) as connection:
            check_version(applied(connection), migrations()[-1].version)


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url:
        yield settings.database_url
        return
    folder = settings.data.resolve()
    if not (folder / "postgres").is_dir() and not folder.is_dir():
        raise ConfigurationError(f"there is no data folder {folder}; give --data DIR or NAFUDA_DATABASE_URL")
    lock = DataLock(folder)
    (folder / "logs").mkdir(exist_ok=True)
    postgres = EmbeddedPostgres(folder / "postgres", folder / "logs" / "postgres.log")
    try:
        postgres.start()
        yield postgres.conninfo
    finally:
        postgres.stop()
        lock.release()


def _tool(name: str, *arguments: str) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run([str(binary(name)), *arguments], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise PermanentError(f"{name} failed: {done.stderr.strip()[-800:]}")
