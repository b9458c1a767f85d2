"""A bucket of any size is compared in the memory of a page, and a server that refuses a page is asked again (R71)."""

import os
import tracemalloc
from contextlib import closing

import pytest

from schemas.errors import TransientError
from schemas.pipeline import INGEST
from tasks.reconcile import Difference, reconcile
from tasks.services import Services
from tests.objects.endless import ETAG, PAGE, key_of, served
from tests.records.books import Books

FEW, MANY = 2 * PAGE, 6 * PAGE
MOST_MORE = 1_000_000  # bytes; four pages that were kept would be more


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def at(services: Services, url: str) -> Services:
    """The same parts with their buckets on a server."""
    return Services(services.settings.model_copy(update={"objects_url": f"s3+{url}"}), services.roles)


def fill(books: Books, first: int, last: int, *, but: tuple[int, ...] = ()) -> None:
    """The ledger knows these of the server's keys as they are."""
    keys = [key_of(number) for number in range(first, last) if number not in but]
    columns = "INSERT INTO objects (collection, bucket, key, state, etag, checked)"
    query = f"{columns} SELECT c.id, 'images', k, 'refused', %s, 1 FROM collections c, unnest(%s::text[]) AS k"
    books.sql(query, ETAG, keys)


def compared(services: Services, keys: int) -> tuple[Difference, int]:
    """What a comparison with a bucket of so many keys found, and the peak bytes of Python's memory meanwhile."""
    with served(keys) as bucket, closing(at(services, bucket.url)) as parts:
        assert parts.store.head("images", "warm") is None
        tracemalloc.start()
        found = reconcile(parts, "images")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert dict(bucket.asked) == dict.fromkeys(range(keys // PAGE), 1)
    return found, peak


def test_more_keys_that_are_known_take_no_more_memory(books: Books, services: Services) -> None:
    fill(books, 0, FEW)
    compared(services, FEW)  # warms up what is made once
    few, before = compared(services, FEW)
    fill(books, FEW, MANY, but=(FEW, MANY - 1))
    many, after = compared(services, MANY)
    assert (few, many) == (Difference(), Difference(unknown=2))
    assert after < before + MOST_MORE


def test_more_keys_that_nobody_knew_take_no_more_memory(books: Books, services: Services) -> None:
    found = []
    for keys in (FEW, FEW, MANY):
        books.sql("DELETE FROM work")
        books.sql("DELETE FROM objects")
        found.append(compared(services, keys))
    assert [each.unknown for each, _ in found] == [FEW, FEW, MANY]
    assert books.sql("SELECT count(*) FROM work WHERE stage = %s AND priority = 1", INGEST) == [(MANY,)]
    assert found[2][1] < found[1][1] + MOST_MORE


def test_a_page_that_the_server_refuses_for_now_is_asked_for_again(books: Books, services: Services) -> None:
    fill(books, 0, FEW)
    with served(FEW, {1: 2}) as bucket, closing(at(services, bucket.url)) as parts:
        assert reconcile(parts, "images") == Difference()
        assert dict(bucket.asked) == {0: 1, 1: 3}


def test_a_listing_that_breaks_off_makes_nothing_gone(books: Books, services: Services) -> None:
    fill(books, 0, FEW)
    with (
        served(FEW, {1: 99}) as bucket,
        closing(at(services, bucket.url)) as parts,
        pytest.raises(TransientError) as refused,
    ):
        reconcile(parts, "images")
    assert refused.value.code == "store-away"
    assert books.sql("SELECT count(*) FROM work") == [(0,)]
