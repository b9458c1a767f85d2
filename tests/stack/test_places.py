"""Folders, ports and cached programs of the stack; no server is started."""

from pathlib import Path

import pytest

from schemas.errors import ConfigurationError
from tests.stack import packages
from tests.stack.__main__ import chosen
from tests.stack.minio import MinIO
from tests.stack.places import read_place


def test_a_stack_has_one_password_that_only_its_owner_reads(tmp_path: Path) -> None:
    given = {"NAFUDA_STACK_DIR": str(tmp_path / "stack")}
    assert read_place(given).password == read_place(given).password
    assert (tmp_path / "stack" / "password").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("port", ["9199", "9284", "http"])
def test_a_port_that_cannot_be_is_refused_by_name(tmp_path: Path, port: str) -> None:
    with pytest.raises(ConfigurationError, match="NAFUDA_STACK_PORT"):
        read_place({"NAFUDA_STACK_DIR": str(tmp_path), "NAFUDA_STACK_PORT": port})


def test_a_store_keeps_what_it_has_to_tell_on_disk_unless_it_is_told_not_to(tmp_path: Path) -> None:
    given = {"NAFUDA_STACK_DIR": str(tmp_path)}
    spool = "MINIO_NOTIFY_AMQP_QUEUE_DIR_NAFUDA"
    assert MinIO(read_place(given)).variables()[spool] == str(tmp_path / "minio" / "spool")
    without = MinIO(read_place({**given, "NAFUDA_STACK_SPOOL": "off"})).variables()
    assert spool not in without
    assert without["MINIO_NOTIFY_AMQP_ENABLE_NAFUDA"] == "on"


def test_a_spool_that_is_neither_on_nor_off_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="NAFUDA_STACK_SPOOL is 'no'"):
        read_place({"NAFUDA_STACK_DIR": str(tmp_path), "NAFUDA_STACK_SPOOL": "no"})


def test_an_interrupted_installation_is_begun_anew_and_a_whole_one_is_not(tmp_path: Path) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    def whole(folder: Path) -> None:
        (folder / "program").touch()

    with pytest.raises(KeyboardInterrupt):
        packages.cached(tmp_path, "server-1", interrupted)
    folder = packages.cached(tmp_path, "server-1", whole)
    assert packages.cached(tmp_path, "server-1", interrupted) == folder
    assert [path.name for path in folder.iterdir()] == ["program"]


def test_an_installer_that_fails_says_what_it_said_and_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"no such host\nput it right"):
        packages.run(["sh", "-c", "echo no such host >&2; exit 3"], "put it right")


def test_a_shell_that_took_our_variables_still_starts_our_servers_and_one_that_names_another_does_not(
    tmp_path: Path,
) -> None:
    place = read_place({"NAFUDA_STACK_DIR": str(tmp_path)})
    ours = MinIO(place).environment()
    assert [each.name for each in chosen(place, ["minio", "redis"], ours, starting=True)] == ["minio", "redis"]
    other = {**ours, "NAFUDA_TEST_S3_URL": "http://store.example.org:9000"}
    assert [each.name for each in chosen(place, ["minio", "redis"], other, starting=True)] == ["redis"]
    assert [each.name for each in chosen(place, ["minio"], other, starting=False)] == ["minio"]
