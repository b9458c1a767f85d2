"""A command beside a running instance works with its store, broker and index, not with what the defaults are (R67)."""

from pathlib import Path

import pytest

from infra.embedded.lock import write_note
from infra.settings import INSTANCE, WHEREABOUTS, Settings, read_settings

_HAS = {
    "database_url": "postgresql://one",
    "objects_url": "s3+http://127.0.0.1:9000",
    "derived_url": "s3+http://127.0.0.1:9000/derived",
    "broker_url": "amqp://127.0.0.1",
    "search_url": "http://127.0.0.1:9200",
    "bucket": "pictures",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An instance left its note here."""
    note = {**{name: "" for name in WHEREABOUTS}, "events_queue": "events", "search_index": "nafuda", **_HAS}
    write_note(tmp_path / INSTANCE, {**note, "address": "http://127.0.0.1:8420", "pid": 1})
    return tmp_path


def _those(settings: Settings) -> dict[str, str]:
    return {name: getattr(settings, name) for name in _HAS}


def test_what_is_not_named_is_as_the_instance_has_it(folder: Path) -> None:
    settings = read_settings({"NAFUDA_DATA": str(folder)})
    assert _those(settings) == _HAS
    assert settings.events_queue == "events" and settings.collection == ""


def test_what_is_named_stays_even_when_it_is_nothing(folder: Path) -> None:
    named = {"NAFUDA_SEARCH_URL": "", "NAFUDA_BUCKET": "mine", "NAFUDA_DATABASE_URL": ""}
    settings = read_settings({"NAFUDA_DATA": str(folder), **named})
    assert _those(settings) == {**_HAS, "search_url": "", "bucket": "mine"}


def test_it_counts_for_a_named_database_only_where_it_is_the_same(folder: Path) -> None:
    same = read_settings({"NAFUDA_DATA": str(folder), "NAFUDA_DATABASE_URL": _HAS["database_url"]})
    assert _those(same) == _HAS
    other = read_settings({"NAFUDA_DATA": str(folder), "NAFUDA_DATABASE_URL": "postgresql://other"})
    assert other == Settings(data=folder, database_url="postgresql://other")


def test_an_instance_that_starts_reads_no_note_of_another(folder: Path) -> None:
    assert read_settings({}, alone=True, data=folder) == Settings(data=folder)
