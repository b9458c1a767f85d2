"""Which store, and which source of events, the settings name (R71)."""

from pathlib import Path

import pytest

from infra.settings import Settings, read_settings
from schemas.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("", None),
        ("file:///srv/buckets", None),
        ("s3:", ""),
        ("s3://", ""),
        ("s3+http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("s3+https://objects.example.org", "https://objects.example.org"),
    ],
)
def test_a_url_names_folders_or_an_s3_server(url: str, endpoint: str | None) -> None:
    assert Settings(objects_url=url).s3_endpoint == endpoint


@pytest.mark.parametrize("url", ["s3", "s3://bucket", "http://127.0.0.1:9000", "/srv/buckets", "file://srv"])
def test_another_url_is_refused_with_what_to_say(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"NAFUDA_OBJECTS_URL.*s3\+http://HOST:PORT"):
        read_settings({"NAFUDA_OBJECTS_URL": url, "NAFUDA_DATA": str(tmp_path)})


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("amqp://127.0.0.1", None),
        ("sqs:", ""),
        ("sqs://", ""),
        ("sqs+http://127.0.0.1:9324", "http://127.0.0.1:9324"),
        ("sqs+https://sqs.example.org", "https://sqs.example.org"),
    ],
)
def test_events_come_over_amqp_or_sqs(url: str, endpoint: str | None) -> None:
    assert Settings(events_url=url, events_queue="events").sqs_endpoint == endpoint


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "sqs://events", "http://127.0.0.1:9324"])
def test_events_that_come_from_elsewhere_are_refused_with_what_to_say(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"NAFUDA_EVENTS_URL.*amqp.*sqs\+http"):
        read_settings({"NAFUDA_EVENTS_URL": url, "NAFUDA_DATA": str(tmp_path)})


def test_a_queue_that_sqs_cannot_have_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"NAFUDA_EVENTS_QUEUE.*letters"):
        read_settings({"NAFUDA_EVENTS_URL": "sqs:", "NAFUDA_DATA": str(tmp_path)})
