"""Watching a folder: the loop around the operating system's notifications, and what to do when they fail."""

import errno
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import watchfiles

from infra.objects.folder import FolderStore
from infra.objects.inotify import unwatched
from infra.objects.poll import Snapshot
from infra.objects.sightings import Change, Sightings
from schemas.errors import TransientError

__all__ = ["Change", "FolderWatcher"]

DEBOUNCE = timedelta(milliseconds=50)  # a burst is one batch after so long at the latest
STEP = timedelta(milliseconds=10)  # a batch ends when nothing came for so long
TICK = timedelta(milliseconds=200)

_log = logging.getLogger(__name__)


def _milliseconds(span: timedelta) -> int:
    return max(1, round(span / timedelta(milliseconds=1)))


class FolderWatcher:
    """Says what changes below a `FolderStore`'s root, in batches, for as long as it is asked.

    A file that another program is still writing is announced at once and again with every later write: an event is
    a hint, the last one comes after the last write, and `FolderStore.read` notices a change in the middle. `polling`
    tells whether the system's notifications could not be used.
    """

    def __init__(
        self, store: FolderStore, *, polling: bool = False, poll_every: timedelta = timedelta(milliseconds=500)
    ) -> None:
        """`polling`: compare the whole tree every `poll_every` instead of being told (network drives)."""
        self._store = store
        self._poll_every = poll_every
        self.polling = polling

    def changes(self, stop: Event) -> Iterator[Change]:
        """Batches until `stop` is set. The first one is a rescan of every bucket, sent once the watch is in place.

        Raises TransientError when the folder itself went away. When the system cannot watch so many folders, the
        tree is polled from then on, with a warning; whatever happened meanwhile is covered by a new rescan.
        """
        try:
            if not self.polling:
                yield from self._watch(stop)
        except (OSError, RuntimeError) as error:
            self._degrade(error)
        if self.polling:
            yield from self._poll(stop)

    def _poll(self, stop: Event) -> Iterator[Change]:
        snapshot = Snapshot(self._store)
        yield snapshot.buckets()
        while not stop.wait(self._poll_every.total_seconds()):
            yield from snapshot.compare()

    def _watch(self, stop: Event) -> Iterator[Change]:
        sightings: Sightings | None = None
        for batch in self._batches(stop):
            if not self._store.root.is_there():
                raise TransientError(
                    f"the watched folder {self._store.root.path} went away; mount it again", code="folder-gone"
                )
            if sightings is None:
                sightings = Sightings(self._store)
                self._require_watched(sightings.folders(), stop)
                yield sightings.buckets()
            yield from sightings.read(batch)
            if due := sightings.due():
                self._require_watched(sightings.folders(due), stop)
                yield from sightings.look_again(due)

    def _batches(self, stop: Event) -> Iterator[set[tuple[watchfiles.Change, str]]]:
        return watchfiles.watch(
            self._store.root.path,
            watch_filter=None,
            debounce=_milliseconds(DEBOUNCE),
            step=_milliseconds(STEP),
            stop_event=stop,
            rust_timeout=_milliseconds(TICK),
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=True,
        )

    def _require_watched(self, folders: list[Path], stop: Event) -> None:
        if not (missing := unwatched(folders)):
            return
        stop.wait(TICK.total_seconds())  # the library may be slower than we are
        if missing := unwatched(missing):
            raise OSError(errno.ENOSPC, "the limit of watched folders is reached", str(missing[0]))

    def _degrade(self, error: Exception) -> None:
        self.polling = True
        _log.warning(
            "%s cannot be watched (%s): it is polled every %s from now on, which is slower and looks at every file; "
            "raise fs.inotify.max_user_watches above its number of folders and start again",
            self._store.root.path,
            error,
            self._poll_every,
        )
