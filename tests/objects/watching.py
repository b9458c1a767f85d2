"""A watcher in a thread, and patience: tests say what must be announced, never how soon."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from infra.objects.folder import FolderStore
from infra.objects.watch import Change, FolderWatcher
from schemas.events import EventKind, ObjectEvent

PATIENCE = 30.0


class Watched:
    """What a watcher has said so far."""

    def __init__(self, store: FolderStore, *, polling: bool = False) -> None:
        self.watcher = FolderWatcher(store, polling=polling, poll_every=timedelta(milliseconds=50))
        self.changes: list[Change] = []
        self.errors: list[Exception] = []
        self.stop = Event()

    def run(self) -> None:
        """The thread's body."""
        try:
            self.changes.extend(self.watcher.changes(self.stop))
        except Exception as error:  # noqa: BLE001 - for the test to look at
            self.errors.append(error)

    @property
    def events(self) -> list[ObjectEvent]:
        """All events, in order."""
        return [event for change in list(self.changes) for event in change.events]

    @property
    def rescans(self) -> set[tuple[str, str]]:
        """All prefixes to compare, but for those of the start."""
        return {place for change in list(self.changes)[1:] for place in change.rescan}

    def keys(self, kind: EventKind) -> set[str]:
        """Keys with at least one event of a kind, as bucket/key."""
        return {f"{event.bucket}/{event.key}" for event in self.events if event.kind is kind}

    def created(self, *places: str) -> bool:
        """True when each of these was announced as created."""
        return self.keys(EventKind.CREATED) >= set(places)

    def removed(self, *places: str) -> bool:
        """True when each of these was announced as removed, or lies where a comparison was asked for."""
        gone = self.keys(EventKind.REMOVED)
        prefixes = tuple(f"{bucket}/{prefix}" for bucket, prefix in self.rescans)
        return all(place in gone or place.startswith(prefixes) for place in places)


def until(condition: Callable[[], bool], watched: Watched) -> None:
    """Wait for something that must come true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if watched.errors:
            raise watched.errors[0]
        assert time.monotonic() < end, f"never announced; so far: {watched.changes}"
        time.sleep(0.01)


@contextmanager
def watching(store: FolderStore, *, polling: bool = False) -> Iterator[Watched]:
    """A watcher that is in place."""
    watched = Watched(store, polling=polling)
    thread = Thread(target=watched.run)
    thread.start()
    try:
        until(lambda: bool(watched.changes), watched)
        yield watched
    finally:
        watched.stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
