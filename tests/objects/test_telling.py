"""A store that tells of its outages is a store: the contract."""

from pathlib import Path

import pytest

from infra.objects.folder import FolderStore
from infra.objects.telling import TellingStore
from schemas.errors import ConflictError, NotFoundError, TransientError
from tests.objects.contract import ObjectStoreContract


@pytest.fixture
def told() -> list[str]:
    """What was told, in order."""
    return []


@pytest.fixture
def store(tmp_path: Path, told: list[str]) -> TellingStore:
    folder = FolderStore(tmp_path, create=True)
    return TellingStore(folder, lambda error, what: told.append(f"no {what}"), told.append)


@pytest.fixture
def bucket(store: TellingStore, told: list[str]) -> str:
    store.make_bucket("views")
    told.clear()
    return "views"


class TestTellingOfAFolder(ObjectStoreContract):
    """The contract holds."""


def test_what_is_not_there_was_answered(store: TellingStore, bucket: str, told: list[str]) -> None:
    with pytest.raises(NotFoundError):
        list(store.list("elsewhere"))
    assert told == [f"reading {store.place}"]


def test_the_readers_own_trouble_is_not_the_stores(store: TellingStore, bucket: str, told: list[str]) -> None:
    store.put(bucket, "a", b"x")
    with pytest.raises(ConflictError), store.open(bucket, "a"):
        raise ConflictError("somebody else was first")
    with pytest.raises(TransientError), store.open(bucket, "a"):
        raise TransientError("the database is away", code="database")
    assert told == [f"writing {store.place}", f"reading {store.place}", f"reading {store.place}"]
