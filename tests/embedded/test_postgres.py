"""The embedded server: who is let in, and as what. Whoever sends SQL must not reach the machine."""  # R76

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infra.embedded.lock import DataLock
from infra.embedded.postgres import EmbeddedPostgres, binary
from schemas.errors import ConfigurationError


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedPostgres]:
    """A server in a folder that everybody on this machine may look into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    made = EmbeddedPostgres(folder / "postgres", folder / "postgres.log")
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/written'",
        "SELECT lo_import('/etc/passwd')",
        "SET ROLE postgres",
        "ALTER ROLE nafuda SUPERUSER",
    ],
)
def test_sql_of_the_application_reaches_no_file_and_no_program(embedded: EmbeddedPostgres, attack: str) -> None:
    with psycopg.connect(embedded.conninfo) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(attack)


@pytest.mark.parametrize("role", ["postgres", "nobody", "root"])
def test_no_other_role_signs_in(embedded: EmbeddedPostgres, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(make_conninfo(embedded.conninfo, user=role))


def test_other_users_of_the_machine_do_not_reach_the_server(embedded: EmbeddedPostgres) -> None:
    sockets = Path(psycopg.conninfo.conninfo_to_dict(embedded.conninfo)["host"])  # type: ignore[arg-type]
    assert sockets.stat().st_uid == os.geteuid() and sockets.stat().st_mode & 0o777 == 0o700
    assert (embedded.folder.stat().st_mode & 0o777) == 0o700


def test_a_first_start_that_was_interrupted_is_begun_anew(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "postgres", tmp_path / "postgres.log")
    (tmp_path / "postgres" / "new").mkdir(parents=True)
    (tmp_path / "postgres" / "new" / "PG_VERSION").write_text("18\n")
    postgres.start()
    try:
        with psycopg.connect(postgres.conninfo) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("nafuda",)
    finally:
        postgres.stop()


def test_a_prepared_folder_for_sockets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    postgres = EmbeddedPostgres(tmp_path / "postgres", tmp_path / "postgres.log")
    with pytest.raises(ConfigurationError, match="somebody else"):
        postgres.start()


def test_a_new_data_folder_is_private(tmp_path: Path) -> None:
    DataLock(tmp_path / "data").release()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("tool", ["initdb", "pg_dump", "pg_restore", "postgres"])
def test_the_programs_of_the_wheel_are_there(tool: str) -> None:
    assert subprocess.run([str(binary(tool)), "--version"], check=True, capture_output=True).stdout
