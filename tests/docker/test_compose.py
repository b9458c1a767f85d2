"""compose.yaml says of Nafuda's own containers what docs/docker.md promises."""  # R76

import hashlib
import json
import runpy
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped]

from infra.settings import Settings, read_settings
from tasks.ending import GIVING_BACK
from tasks.roles import ROLES

DOCKER = Path(__file__).resolve().parents[2] / "docker"
COMPOSE: Mapping[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, each in SERVICES.items() if "build" in each)
THEIRS = sorted(set(SERVICES) - set(OURS))
WRITE: Callable[[Path], bool] = runpy.run_path(str(DOCKER / "secrets.py"))["write"]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    assert WRITE(tmp_path / "secrets")
    return tmp_path / "secrets"


def test_every_role_is_played_once() -> None:
    commands = [SERVICES[name].get("command", []) for name in OURS]
    assert sorted(role for command in commands if command[:1] == ["worker"] for role in command[1:]) == sorted(ROLES)
    assert [name for name in OURS if SERVICES[name].get("command") == ["web"]] == ["web"]


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_do_no_more_than_they_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]
    assert not {"user", "privileged", "cap_add", "network_mode", "pid"} & set(service)


@pytest.mark.parametrize("name", OURS)
def test_a_worker_tells_its_health_and_waits_for_the_tables(name: str) -> None:
    service = SERVICES[name]
    if service.get("command", [""])[0] == "worker":
        assert int(service["environment"]["NAFUDA_METRICS_PORT"]) > 0
        assert service["environment"]["NAFUDA_METRICS_HOST"] == "0.0.0.0"
        assert "ports" not in service
    if name != "migrate":
        assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("name", OURS)
def test_a_container_is_not_killed_before_its_worker_ends_by_itself(name: str) -> None:
    patience = timedelta(seconds=int(SERVICES[name]["stop_grace_period"].removesuffix("s")))
    assert patience > Settings().grace + GIVING_BACK


@pytest.mark.parametrize("name", OURS)
def test_settings_are_real_ones_and_can_be_read(name: str, secrets: Path) -> None:
    given = {key: value for key, value in SERVICES[name]["environment"].items() if key.startswith("NAFUDA_")}
    for key in given:
        assert key.removeprefix("NAFUDA_").removesuffix("_FILE").lower() in Settings.model_fields
    settings = read_settings({key: _here(value, secrets) for key, value in given.items()})
    assert urlsplit(settings.database_url).hostname in THEIRS
    assert urlsplit(settings.broker_url).hostname in THEIRS
    assert urlsplit(settings.search_url).hostname in THEIRS
    assert urlsplit(settings.s3_endpoint or "").hostname in THEIRS
    assert settings.encoder_url in ("", "http://encode:8421")


def _here(value: str, secrets: Path) -> str:
    """A secret's path in a container, as the path of the file that is mounted there."""
    name = value.removeprefix("/run/secrets/")
    return str(secrets.parent / COMPOSE["secrets"][name]["file"]) if name != value else value


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_is_given_every_secret_that_it_reads(name: str) -> None:
    service = SERVICES[name]
    read = {value for value in service.get("environment", {}).values() if str(value).startswith("/run/secrets/")}
    assert read <= {f"/run/secrets/{each}" for each in service.get("secrets", [])}
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", THEIRS)
def test_servers_are_pinned_and_waited_for(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert tag and tag != "latest"
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert "ports" not in SERVICES[name]
    assert SERVICES["migrate"]["depends_on"][name] == {"condition": "service_healthy"}


def test_browsers_may_send_to_the_store_from_the_pages_alone() -> None:
    origins = SERVICES["minio"]["environment"]["MINIO_API_CORS_ALLOW_ORIGIN"].split(",")
    (port,) = SERVICES["web"]["ports"]
    assert origins == [f"http://{host}:{port.rsplit(':', 1)[1]}" for host in ("127.0.0.1", "localhost")]


def test_secrets_are_written_once_and_only_their_folder_keeps_others_out(secrets: Path) -> None:
    first = {file.name: file.read_text("utf-8") for file in secrets.iterdir()}
    assert not WRITE(secrets)
    assert {file.name: file.read_text("utf-8") for file in secrets.iterdir()} == first
    assert {Path(each["file"]).name for each in COMPOSE["secrets"].values()} == set(first)
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in secrets.iterdir()} == {0o444}


def test_the_broker_knows_the_password_that_its_users_are_given(secrets: Path) -> None:
    (user,) = json.loads((secrets / "broker_definitions.json").read_text("utf-8"))["users"]
    password = urlsplit((secrets / "broker_url").read_text("utf-8")).password or ""
    digest = b64decode(user["password_hash"])
    assert digest[4:] == hashlib.sha256(digest[:4] + password.encode()).digest()
    assert (secrets / "broker_url").read_text("utf-8") in (secrets / "minio_environment").read_text("utf-8")
