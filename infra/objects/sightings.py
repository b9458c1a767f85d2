"""From paths that something happened to, to events: what is there now decides, not what the system said."""

import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path

import watchfiles

from infra.objects.folder import FolderStore, head_of
from infra.objects.keys import visible
from infra.objects.paths import errors, files, folders
from schemas.errors import DeniedError, NotFoundError, PermanentError
from schemas.events import EventKind, ObjectEvent
from schemas.images import ObjectHead

SECOND_LOOK = timedelta(seconds=1)
CLOCK_MARGIN = timedelta(seconds=2)
EVENTS_AT_ONCE = 1000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """What happened in a folder: events, and places (bucket, prefix) where only a comparison tells what is gone.

    The one who gets a `rescan` lists that prefix and compares it with the objects known there: a folder that was
    removed or renamed took keys along that the watcher never knew.
    """

    events: tuple[ObjectEvent, ...] = ()
    rescan: tuple[tuple[str, str], ...] = ()


def created(head: ObjectHead) -> ObjectEvent:
    """The event of an object that is there."""
    return ObjectEvent(EventKind.CREATED, head.bucket, head.key, etag=head.etag, size=head.size, at=head.modified)


def removed(bucket: str, key: str) -> ObjectEvent:
    """The event of a key that is not there any more."""
    return ObjectEvent(EventKind.REMOVED, bucket, key)


def batches(events: Iterator[ObjectEvent], rescan: tuple[tuple[str, str], ...] = ()) -> Iterator[Change]:
    """Changes of a limited number of events each; nothing when there is nothing."""
    first = tuple(islice(events, EVENTS_AT_ONCE))
    if first or rescan:
        yield Change(first, rescan)
    while batch := tuple(islice(events, EVENTS_AT_ONCE)):
        yield Change(batch)


class Sightings:
    """What is known of a store's folders, so that a path that is gone can be told to have been a file or a folder.

    Not thread-safe: it belongs to one watcher. Folders are kept as "bucket/a/b/".
    """

    def __init__(self, store: FolderStore) -> None:
        """Walks the folders once."""
        self._store = store
        with errors(str(store.root.path)), store.root.folder([]) as root:
            self._folders = set(folders(root, ""))
        self._second_looks: dict[str, float] = {}

    def buckets(self) -> Change:
        """A rescan of everything."""
        return Change(rescan=tuple((bucket, "") for bucket in self._store.buckets()))

    def read(self, batch: Iterable[tuple[watchfiles.Change, str]]) -> Iterator[Change]:
        """What happened to these absolute paths, judged by what is there now."""
        touched = {(change, self._place(path)) for change, path in batch}
        arrived = {place for change, place in touched if change is not watchfiles.Change.modified}
        events: list[ObjectEvent] = []
        new: set[str] = set()
        lost: set[str] = set()
        for place in sorted({place for _, place in touched} - {""}):
            head = self._head(place)
            if head is not None:
                events.append(self._created(head))
            elif self._is_folder(place):
                if place in arrived or f"{place}/" not in self._folders:  # else its rights or its times changed
                    new.add(f"{place}/")
            elif f"{place}/" in self._folders:
                lost.add(f"{place}/")
            elif "/" in place:
                events.append(removed(*_split(place)))
        yield from batches(iter(events), self._forget(lost, new))
        yield from self._enter(new)

    def due(self) -> list[str]:
        """Folders that were new a second ago and want a second look, each only once."""
        now = time.monotonic()
        ready = [place for place, at in self._second_looks.items() if at <= now]
        for place in ready:
            del self._second_looks[place]
        return ready

    def look_again(self, places: Iterable[str]) -> Iterator[Change]:
        """What came into new folders before the system watched them."""
        since = time.time_ns() - _nanoseconds(SECOND_LOOK + CLOCK_MARGIN)
        for place in places:
            yield from batches(self._inside(place, since))

    def folders(self, within: Iterable[str] | None = None) -> list[Path]:
        """Known folders (in these) that are not so new that they may not be watched yet."""
        fresh, places = set(self._second_looks), None if within is None else set(within)
        known = (place for place in self._folders if places is None or _below(place, places))
        return [self._store.root.path / place for place in known if not _below(place, fresh)]

    def _place(self, path: str) -> str:
        """ "bucket/key" of a path, or "" for one that is hidden or outside."""
        with suppress(ValueError):
            names = Path(path).relative_to(self._store.root.path).parts
            if all(map(visible, names)):
                return "/".join(names)
        return ""

    def _head(self, place: str) -> ObjectHead | None:
        bucket, _, key = place.partition("/")
        with suppress(PermanentError, DeniedError):  # who is told of it looks again, and says why it cannot
            return self._store.head(bucket, key) if key else None
        return None

    def _is_folder(self, place: str) -> bool:
        names = place.split("/")
        with suppress(NotFoundError, DeniedError), errors(place, looking=True), self._store.root.folder(names):
            return True
        return False

    def _created(self, head: ObjectHead) -> ObjectEvent:
        place = f"{head.bucket}/{head.key}"
        while (place := place.rpartition("/")[0]) and f"{place}/" not in self._folders:
            self._folders.add(f"{place}/")
        return created(head)

    def _forget(self, lost: set[str], new: set[str]) -> tuple[tuple[str, str], ...]:
        """Folders that went, and known ones that are new again (another one took the name): both want a rescan."""
        if lost:
            self._folders = {place for place in self._folders if not _below(place, lost)}
        return tuple(_split(place) for place in _topmost(lost | (new & self._folders)))

    def _enter(self, new: set[str]) -> Iterator[Change]:
        for place in _topmost(new):
            self._folders.add(place)
            self._second_looks[place] = time.monotonic() + SECOND_LOOK.total_seconds()
            yield from batches(self._inside(place, 0))

    def _inside(self, place: str, since: int) -> Iterator[ObjectEvent]:
        """An event for each file of a folder that changed, or came, at `since` (nanoseconds) or later."""
        bucket, base = _split(place)
        names = place[:-1].split("/")
        try:
            with errors(place, looking=True), self._store.root.folder(names) as start:
                self._folders.update(folders(start, place))
                for key, found in files(start, base, base):
                    if _arrived(found) >= since:
                        yield self._created(head_of(bucket, key, found))
        except NotFoundError:
            return  # gone again; an event of its own says so
        except DeniedError as error:
            _log.warning("a new folder is not read: %s", error)


def _arrived(found: os.stat_result) -> int:
    return max(found.st_ctime_ns, found.st_mtime_ns)


def _nanoseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1e9)


def _split(place: str) -> tuple[str, str]:
    bucket, _, key = place.partition("/")
    return bucket, key


def _below(place: str, folders: set[str]) -> bool:
    """True when a folder is one of these or lies in one of them."""
    cuts = (index + 1 for index, char in enumerate(place) if char == "/")
    return any(place[:cut] in folders for cut in cuts)


def _topmost(places: set[str]) -> list[str]:
    """The folders that lie in no other one of the set, sorted."""
    return [p for p in sorted(places) if not _below(p[: p.rstrip("/").rfind("/") + 1], places)]
