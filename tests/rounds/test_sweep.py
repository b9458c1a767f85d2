"""The sweeper's rounds go on whatever else takes long (R71, R72)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.objects.folder import FolderStore
from infra.records.work import PostgresWork
from schemas.errors import TransientError
from schemas.images import ObjectHead
from schemas.pipeline import INGEST
from tasks.reconcile import compare_by_schedule
from tasks.services import Services
from tasks.sweep import free_the_dead, run_sweeper
from tasks.watch import Watch
from tests.databases import away
from tests.e2e.instance import wait_for
from tests.records.books import Books

SILENT = timedelta(seconds=4)


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
    changes = {"reconcile_every": timedelta(milliseconds=20), "silent": SILENT}
    settings = services.settings.model_copy(update=changes)
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


@contextmanager
def beating(worker: PostgresWork) -> Iterator[None]:
    """It beats as long as the database takes it."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.2):
            with suppress(TransientError):
                worker.beat()

    thread = threading.Thread(target=beat)
    thread.start()
    yield
    over.set()
    thread.join(60)


def test_an_outage_of_the_database_is_not_the_death_of_those_who_could_not_be_heard(
    services: Services, books: Books, server: str, database: str
) -> None:  # R42, R72
    parts, over = often(services, FolderStore(services.settings.buckets_folder)), threading.Event()
    books.note("a.png", "b.png")
    live, dead = books.work("host:live:1"), books.work("host:dead:1")
    (mine,), _ = live.claim([INGEST], 1), dead.claim([INGEST], 1)
    freed = "SELECT subject, deaths FROM work WHERE claimed_by IS NULL"
    sweeper = threading.Thread(target=free_the_dead, args=(parts, over))
    with beating(live):
        sweeper.start()
        wait_for(lambda: len(books.sql(freed)) == 1, 60)  # from now on it tells who is dead
        with away(server, database):
            time.sleep(SILENT.total_seconds() + 2)
        wait_for(lambda: _back(books), 60)
        time.sleep(2 * SILENT.total_seconds())
        assert books.sql("SELECT claimed_by, deaths FROM work WHERE subject = %s", mine.subject) == [("host:live:1", 0)]
    begun = time.monotonic()
    wait_for(lambda: (mine.subject, 1) in books.sql(freed), 60)
    assert time.monotonic() - begun < 2 * SILENT.total_seconds()
    over.set()
    sweeper.join(60)
    parts.close()


def _back(books: Books) -> bool:
    with suppress(TransientError):
        return books.sql("SELECT 1") == [(1,)]
    return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Our own, which stands still unless a test moves it."""
    told = [100.0]
    monkeypatch.setattr("tasks.watch.time.monotonic", lambda: told[0])
    return told


def judged(watch: Watch, clock: list[float], now: float, seconds: int) -> list[bool]:
    """A look a second, from that time of the database's clock on."""
    answers = []
    for second in range(seconds):
        clock[0] += 1
        answers.append(watch.judges(datetime.fromtimestamp(now + second, UTC)))
    return answers


@pytest.mark.parametrize("step", [60, -60])
def test_silence_counts_once_it_was_watched_for_so_long_by_both_clocks(clock: list[float], step: int) -> None:
    """The step of the database's clock may be a host that was suspended, whose own clock stood still."""
    watch = Watch(timedelta(seconds=20))
    assert judged(watch, clock, 0, 22) == [False] * 20 + [True] * 2
    assert judged(watch, clock, 22 + step, 21) == [False] * 20 + [True]
    clock[0] += 60
    assert judged(watch, clock, 43 + step, 21) == [False] * 20 + [True]
