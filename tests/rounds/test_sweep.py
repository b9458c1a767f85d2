"""The sweeper's rounds go on whatever else takes long (R71, R72)."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from infra.objects.folder import FolderStore
from schemas.errors import TransientError
from schemas.images import ObjectHead
from schemas.pipeline import INGEST
from tasks.reconcile import compare_by_schedule
from tasks.services import Services
from tasks.sweep import run_sweeper
from tests.e2e.instance import wait_for
from tests.records.books import Books


class Endless(FolderStore):
    """A store whose listing takes until it is told to end; the first `broken` ones break off."""

    def __init__(self, root: Path, broken: int = 0) -> None:
        super().__init__(root, create=True)
        self.broken = broken
        self.listing, self.end = threading.Event(), threading.Event()

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        if self.broken:
            self.broken -= 1
            raise TransientError("the server is away", code="store-away")
        self.listing.set()
        self.end.wait(60)
        return super().list(bucket, prefix)


def often(services: Services, store: FolderStore) -> Services:
    settings = services.settings.model_copy(update={"reconcile_every": timedelta(milliseconds=20)})
    parts = Services(settings, services.roles)
    parts.__dict__["store"] = store
    return parts


def test_what_dead_workers_held_is_freed_while_a_large_bucket_is_compared(services: Services, books: Books) -> None:
    store = Endless(services.settings.buckets_folder)
    parts, stop = often(services, store), threading.Event()
    sweeper = threading.Thread(target=run_sweeper, args=(parts, stop))
    sweeper.start()
    try:
        assert store.listing.wait(60)
        books.note("a.png")
        books.work("host:dead:1").claim([INGEST], 9)
        books.sql("UPDATE workers SET seen_at = now() - interval '1 hour' WHERE name = 'host:dead:1'")
        freed = "SELECT count(*) FROM work WHERE deaths = 1 AND claimed_by IS NULL"
        wait_for(lambda: books.sql(freed) == [(1,)], 60)
    finally:
        stop.set()
        store.end.set()
        sweeper.join(60)
        parts.close()


def test_the_sweeper_has_the_index_forget_what_was_erased_of_late(services: Services, books: Books) -> None:  # R76
    books.sql("INSERT INTO erased_records VALUES (7, now() - interval '1 hour')")
    stop = threading.Event()
    sweeper = threading.Thread(target=run_sweeper, args=(services, stop))
    sweeper.start()
    try:
        wait_for(lambda: not books.sql("SELECT record FROM erased_records"), 60)
    finally:
        stop.set()
        sweeper.join(60)


def test_a_comparison_that_broke_off_is_made_again(services: Services, books: Books) -> None:
    store = Endless(services.settings.buckets_folder, broken=1)
    store.end.set()
    store.put("images", "a.png", b"x")
    parts, stop = often(services, store), threading.Event()
    comparer = threading.Thread(target=compare_by_schedule, args=(parts, stop))
    comparer.start()
    try:
        wait_for(lambda: books.sql("SELECT count(*) FROM objects") == [(1,)], 60)
    finally:
        stop.set()
        comparer.join(60)
        parts.close()
