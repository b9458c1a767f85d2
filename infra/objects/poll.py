"""Polling a folder: two listings compared, for drives that tell nobody what changes."""

import logging
from collections.abc import Iterator

from infra.objects.folder import FolderStore
from infra.objects.sightings import Change, batches, created, removed
from schemas.errors import DeniedError, NotFoundError
from schemas.events import ObjectEvent
from schemas.images import ObjectHead

_log = logging.getLogger(__name__)


class Snapshot:
    """The store as it was seen last: bucket → key → etag, about 250 bytes of memory an object.

    Compares identities to the nanosecond; the polling of the library that we watch with compares whole seconds
    and would miss a quick overwrite.
    """

    def __init__(self, store: FolderStore) -> None:
        """Reads every object's status once."""
        self._store = store
        self._denied: set[str] = set()
        self._seen = {bucket: {head.key: head.etag for head in self._list(bucket)} for bucket in store.buckets()}

    def buckets(self) -> Change:
        """A rescan of everything."""
        return Change(rescan=tuple((bucket, "") for bucket in sorted(self._seen)))

    def compare(self) -> Iterator[Change]:
        """What is different now, which is remembered."""
        buckets = self._store.buckets()
        for bucket in buckets:
            yield from batches(self._differences(bucket))
        lost = tuple((bucket, "") for bucket in self._seen if bucket not in buckets)
        self._seen = {bucket: keys for bucket, keys in self._seen.items() if bucket in buckets}
        if lost:
            yield Change(rescan=lost)

    def _differences(self, bucket: str) -> Iterator[ObjectEvent]:
        before, now = self._seen.get(bucket, {}), {}
        for head in self._list(bucket):
            now[head.key] = head.etag
            if before.get(head.key) != head.etag:
                yield created(head)
        if bucket in self._denied:  # what could not be listed is not gone
            self._seen[bucket] = before | now
            return
        for key in before.keys() - now.keys():
            yield removed(bucket, key)
        self._seen[bucket] = now

    def _list(self, bucket: str) -> Iterator[ObjectHead]:
        try:
            yield from self._store.list(bucket)
            self._denied.discard(bucket)
        except NotFoundError:
            self._denied.discard(bucket)  # the bucket went since it was listed
        except DeniedError as error:
            if bucket not in self._denied:
                _log.warning("bucket %s is polled in part: %s", bucket, error)
            self._denied.add(bucket)
