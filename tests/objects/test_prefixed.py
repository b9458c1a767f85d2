"""Small buckets in one, over a folder: the contract, and that nothing leaves its prefix."""

from pathlib import Path

import pytest

from infra.objects.folder import FolderStore
from infra.objects.prefixed import PrefixedStore
from schemas.errors import NotFoundError
from tests.objects.contract import ObjectStoreContract

NAMES = ("thumbnails", "views")


@pytest.fixture
def outer(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path, create=True)


@pytest.fixture
def store(outer: FolderStore) -> PrefixedStore:
    return PrefixedStore(outer, "pictures", "made/", NAMES)


@pytest.fixture
def bucket(store: PrefixedStore) -> str:
    store.make_bucket("views")
    return "views"


class TestPrefixesInABucket(ObjectStoreContract):
    """The contract holds."""


def test_each_kind_lies_under_its_prefix_and_hides_the_others(
    outer: FolderStore, store: PrefixedStore, bucket: str
) -> None:
    store.put(bucket, "a/b.jpg", b"view")
    store.put("thumbnails", "a/b.jpg", b"small")
    outer.put("pictures", "made/viewsx/a.jpg", b"x")
    outer.put("pictures", "views/a.jpg", b"x")
    assert [head.key for head in store.list(bucket)] == ["a/b.jpg"]
    inside = [head.key for head in outer.list("pictures", "made/")]
    assert inside == ["made/thumbnails/a/b.jpg", "made/views/a/b.jpg", "made/viewsx/a.jpg"]


def test_the_names_are_closed(store: PrefixedStore, bucket: str) -> None:
    assert store.buckets() == sorted(NAMES)
    for ask in (lambda: store.make_bucket("others"), lambda: store.put("others", "a", b"x")):
        with pytest.raises(NotFoundError, match="thumbnails, views"):
            ask()


def test_the_bucket_of_all_is_made_with_the_first(tmp_path: Path, outer: FolderStore, store: PrefixedStore) -> None:
    with pytest.raises(NotFoundError):
        store.put("views", "a", b"x")
    store.make_bucket("thumbnails")
    assert store.put("views", "a", b"x").size == 1
    assert outer.buckets() == ["pictures"]
