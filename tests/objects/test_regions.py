"""Which region a client of AWS's, or of a server that knows none, signs for (R71)."""

from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import NoRegionError

from infra.aws import client


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody has said a region."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))


@pytest.mark.parametrize(("service", "endpoint"), [("s3", ""), ("s3", "http://s3.test"), ("sqs", "http://sqs.test")])
def test_where_no_region_is_needed_one_is_taken_that_all_know(service: str, endpoint: str) -> None:
    assert client(service, endpoint, Config()).meta.region_name == "us-east-1"


def test_a_queue_of_aws_needs_a_region() -> None:
    with pytest.raises(NoRegionError):
        client("sqs", "", Config())


@pytest.mark.parametrize(("service", "endpoint"), [("s3", ""), ("sqs", ""), ("sqs", "http://sqs.test")])
def test_the_region_that_is_said_is_taken(service: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    assert client(service, endpoint, Config()).meta.region_name == "ap-northeast-1"
