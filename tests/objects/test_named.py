"""Which store, and which source of events, the settings name (R71)."""

from pathlib import Path

import pytest

from infra.objects.addresses import BucketAddress
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


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://pictures", BucketAddress("", "pictures")),
        ("s3://pictures/", BucketAddress("", "pictures")),
        ("s3://pictures/made/here", BucketAddress("", "pictures", "made/here/")),
        ("s3+http://127.0.0.1:9000/pictures", BucketAddress("http://127.0.0.1:9000", "pictures")),
        ("s3+https://s3.example/pictures/made/", BucketAddress("https://s3.example", "pictures", "made/")),
    ],
)
def test_a_bucket_on_a_server_is_named(url: str, address: BucketAddress) -> None:
    settings = Settings(derived_url=url)
    assert settings.derived_address == address


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("derived", "s3://BUCKET"),
        ("s3:", "s3://BUCKET"),
        ("s3://", "no bucket's name"),
        ("s3://x", "no bucket's name"),
        ("s3+http://127.0.0.1:9000", "no bucket's name"),
        ("s3+http://127.0.0.1:9000/pictures/a//b", "cannot hold"),
        ("s3+http://127.0.0.1:9000/pictures/../images", "cannot hold"),
        ("s3+http://user:secret@127.0.0.1:9000/pictures", "AWS_ACCESS_KEY_ID"),
        ("s3+http:///pictures", "HOST:PORT"),
        (f"s3://pictures/{'x/' * 300}", "512"),
    ],
)
def test_what_names_no_bucket_is_refused_with_the_variable(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as refused:
        read_settings({"NAFUDA_DERIVED_URL": url, "NAFUDA_DATA": str(tmp_path)})
    assert "NAFUDA_DERIVED_URL" in str(refused.value)


def test_derived_pictures_lie_in_the_data_folder_or_where_it_is_said() -> None:
    assert Settings(data=Path("/d")).derived_folder == Path("/d/derived")
    said = Settings(derived_url="file:///mnt/shared")
    assert (said.derived_address, said.derived_folder) == (None, Path("/mnt/shared"))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("NAFUDA_DIRECT_URL", "s3+http://127.0.0.1:9000", "https://HOST"),
        ("NAFUDA_DIRECT_URL", "https://store.example/images", "https://HOST"),
        ("NAFUDA_SIGNED_FOR", "PT0S", "PT1S to PT1H"),
        ("NAFUDA_SIGNED_FOR", "P1D", "PT1S to PT1H"),
    ],
)
def test_what_is_signed_is_for_a_server_and_a_short_while(tmp_path: Path, name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}.*{told}"):  # R76
        read_settings({name: value, "NAFUDA_DATA": str(tmp_path)})
