"""Backup and restore of the records with PostgreSQL's own tools; an embedded server is started when none runs."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

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
            os.close(os.open(_emptied(fresh), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # it holds password hashes
            _tool(
                "pg_dump",
                "--format=custom",
                "--no-owner",
                "--exclude-schema=pgmq",
                "--exclude-schema=vectors",
                "--exclude-extension=vector",
                f"--file={fresh}",
                database=database,
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
        with tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
            wanted.write(_without_spaces(file))
            wanted.flush()
            how = ("--no-owner", "--single-transaction", "--exit-on-error", f"--use-list={wanted.name}")
            _tool("pg_restore", *how, str(file), database=database)
        with psycopg.connect(database) as connection:
            check_version(applied(connection), migrations()[-1].version)


def _without_spaces(file: Path) -> str:
    """What is to be restored: all but the indexes of vectors, which need an extension; `nafuda migrate` makes them."""
    done = subprocess.run([str(binary("pg_restore")), "--list", str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermanentError(f"{file} is no backup: {done.stderr.strip()[-400:]}")
    lines = done.stdout.splitlines(keepends=True)
    return "".join(line for line in lines if " INDEX public embeddings_space_" not in line)


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


def _emptied(file: Path) -> Path:
    """The path, with nothing there: rights are given when a file is made."""
    file.unlink(missing_ok=True)
    return file


def without_password(database: str) -> tuple[str, dict[str, str]]:
    """A database's address for a command line, which everybody on a machine sees, and its password as environment."""
    keywords = conninfo_to_dict(database)
    password = keywords.pop("password", None)
    return make_conninfo("", **keywords), {"PGPASSWORD": str(password)} if password else {}


def _tool(name: str, *arguments: str, database: str) -> None:
    address, secret = without_password(database)
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **secret}
    command = [str(binary(name)), *arguments, f"--dbname={address}"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise PermanentError(f"{name} failed: {done.stderr.strip()[-800:]}")
