"""Reconciling: what events did not tell becomes hints, once (R1)."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.objects.folder import FolderStore
from schemas.errors import DeniedError, NafudaError, NotFoundError, TransientError
from schemas.images import ObjectHead
from schemas.pipeline import INGEST
from tasks.reconcile import Comparison, Difference, compare_by_schedule, reconcile, reconcile_all
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.records.books import Books, failure
from tests.rounds.following import keys, listening


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


class Denying(FolderStore):
    """A store that cannot list one of its buckets, and counts what it was asked for."""

    def __init__(self, services: Services, bucket: str, error: NafudaError) -> None:
        super().__init__(services.settings.buckets_folder)
        self.bad, self.error, self.asked = bucket, error, Counter[str]()
        services.__dict__["store"] = services.__dict__["folder"] = self

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        self.asked[bucket] += 1
        if bucket == self.bad:
            raise self.error
        return super().list(bucket, prefix)


def two_more(services: Services, books: Books) -> None:
    """Three buckets, with something new in each; `images` comes first."""
    for name in ("later", "other"):
        books.collection(name=name, bucket=name)
        services.store.make_bucket(name)
    for name in ("images", "later", "other"):
        services.store.put(name, f"{name}.png", b"x")


DENIED = DeniedError("the right lacks")
BROKEN = TransientError("the disk is broken")
AWAY = TransientError("nobody answers", code="store-away")


def test_a_bucket_that_is_denied_keeps_no_other_from_being_compared(
    services: Services, books: Books, caplog: pytest.LogCaptureFixture
) -> None:  # R71
    two_more(services, books)
    store, comparison = Denying(services, "images", DENIED), Comparison(services)
    assert comparison.attempt() == Difference(unknown=2) and comparison.denied == [DENIED]
    assert comparison.attempt() == Difference()  # what an operator must mend waits for the next comparison
    assert store.asked == {"images": 1, "later": 1, "other": 1}
    assert [line for line in caplog.messages if "the right lacks" in line] == [caplog.messages[-1]]
    with pytest.raises(TransientError, match="the right lacks"):
        reconcile_all(services)  # who waits for it is told


def test_a_bucket_that_fails_for_now_is_tried_again_alone_and_said_once(
    services: Services, books: Books, caplog: pytest.LogCaptureFixture
) -> None:  # R71
    two_more(services, books)
    store, comparison = Denying(services, "images", BROKEN), Comparison(services)
    for _ in range(2):
        with pytest.raises(TransientError, match="broken"):
            comparison.attempt()
    assert store.asked == {"images": 2, "later": 1, "other": 1}
    assert sum("broken" in line for line in caplog.messages) == 1
    store.bad = ""
    assert comparison.attempt() == Difference(unknown=1)


def test_where_the_server_is_away_nobody_else_is_asked_but_first_next_time(services: Services, books: Books) -> None:
    two_more(services, books)
    store, comparison = Denying(services, "images", AWAY), Comparison(services)
    with pytest.raises(TransientError):
        comparison.attempt()
    assert store.asked == {"images": 1}
    with pytest.raises(TransientError):
        comparison.attempt()
    assert store.asked == {"images": 2, "later": 1, "other": 1}


def test_the_schedule_goes_on_beside_a_bucket_that_is_denied(services: Services, books: Books) -> None:  # R71
    two_more(services, books)
    store, stop = Denying(services, "images", DENIED), threading.Event()
    services.settings = services.settings.model_copy(update={"reconcile_every": timedelta(milliseconds=20)})
    comparer = threading.Thread(target=compare_by_schedule, args=(services, stop))
    comparer.start()
    try:
        wait_for(lambda: store.asked["other"] >= 3, 30)
    finally:
        stop.set()
        comparer.join(30)


@pytest.mark.parametrize("error", [NotFoundError("no bucket"), DENIED, BROKEN], ids=["gone", "denied", "broken"])
def test_changes_of_other_folders_are_taken_in_beside_one_that_cannot_be_listed(
    services: Services, books: Books, error: NafudaError
) -> None:  # R71
    two_more(services, books)
    Denying(services, "images", error)
    with listening(services):
        wait_for(lambda: {"later.png", "other.png"} <= keys(books), 30)
        services.store.put("images", "new.png", b"x")
        wait_for(lambda: "new.png" in keys(books), 30)


def test_the_listener_outlives_the_folder_of_a_bucket(services: Services, books: Books) -> None:  # R71
    two_more(services, books)
    with listening(services):
        wait_for(lambda: {"images.png", "later.png", "other.png"} <= keys(books), 30)
        shutil.rmtree(services.settings.buckets_folder / "images")
        services.store.put("other", "new.png", b"x")
        wait_for(lambda: "new.png" in keys(books), 30)


def test_a_bucket_that_is_away_makes_nothing_gone_and_others_are_compared(services: Services, books: Books) -> None:
    settled(services, books, "a.png")
    books.collection(name="other", bucket="other")
    services.store.make_bucket("other")
    services.store.put("other", "b.png", b"x")
    shutil.rmtree(services.settings.buckets_folder / "images")
    assert reconcile_all(services) == Difference(unknown=1)
    assert books.rows("a.png")[0].checks == 1
