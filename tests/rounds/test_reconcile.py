"""Reconciling: what events did not tell becomes hints, once (R1)."""

import shutil

from schemas.pipeline import INGEST
from tasks.reconcile import Difference, reconcile, reconcile_all
from tasks.services import Services
from tests.records.books import Books, failure


def settled(services: Services, books: Books, key: str) -> None:
    """An object that the store and the ledger know alike."""
    head = services.store.put("images", key, key.encode())
    books.put(key)
    books.sql("UPDATE objects SET etag = %s WHERE key = %s", head.etag, key)


def test_every_difference_is_hinted_at_behind_live_work(services: Services, books: Books) -> None:
    for key in ("a/same.png", "b.png", "gone.png"):
        settled(services, books, key)
    services.store.put("images", "b.png", b"other bytes")
    services.store.put("images", "new.png", b"new")
    services.store.delete("images", "gone.png")
    assert reconcile(services, "images") == Difference(unknown=1, changed=1, gone=1)
    claims = services.work.claim([INGEST], 9)
    keys = {row.key for row in services.objects.objects([claim.subject for claim in claims])}
    assert keys == {"b.png", "gone.png", "new.png"}
    assert {claim.priority for claim in claims} == {1}


def test_what_is_alike_is_left_alone(services: Services, books: Books) -> None:
    settled(services, books, "a.png")
    assert reconcile_all(services) == Difference()
    assert services.work.claim([INGEST], 9) == []


def test_only_the_prefix_is_compared(services: Services, books: Books) -> None:
    settled(services, books, "art/a.png")
    settled(services, books, "b.png")
    services.store.delete("images", "b.png")
    assert reconcile(services, "images", "art/") == Difference()


def test_what_ingest_gave_up_is_not_tried_again_at_every_comparison(services: Services, books: Books) -> None:
    services.store.put("images", "killer.png", b"x")
    assert reconcile_all(services) == Difference(unknown=1)
    claims = services.work.claim([INGEST], 9)
    services.work.fail([failure(claim, permanent=True) for claim in claims])
    assert reconcile_all(services) == Difference()
    assert {state for state, _ in books.states(INGEST).values()} == {"failed"}


def test_a_bucket_that_is_away_makes_nothing_gone_and_others_are_compared(services: Services, books: Books) -> None:
    settled(services, books, "a.png")
    books.collection(name="other", bucket="other")
    services.store.make_bucket("other")
    services.store.put("other", "b.png", b"x")
    shutil.rmtree(services.settings.buckets_folder / "images")
    assert reconcile_all(services) == Difference(unknown=1)
    assert books.rows("a.png")[0].checks == 1
