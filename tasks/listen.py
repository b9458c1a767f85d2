"""The listener on folders, and what every listener does: what changes in the buckets becomes hints in the ledger."""

import threading
from collections.abc import Sequence
from functools import partial

from infra.objects.watch import Change, FolderWatcher
from schemas.errors import NafudaError
from schemas.events import ObjectEvent
from schemas.pipeline import INGEST
from tasks.insist import insist
from tasks.reconcile import everything_is_away, not_compared, reconcile
from tasks.services import Services


def take_in(services: Services, events: Sequence[ObjectEvent], priority: int = 0) -> int:
    """Write hints down and wake ingest; returns how many belong to a collection."""
    taken = services.objects.note(events, priority)
    if taken:
        services.wake(INGEST)
    return taken


def follow(services: Services, stop: threading.Event) -> None:
    """Follow the folder until told to stop. The first change is a rescan of all buckets: the reconcile at start."""
    for change in FolderWatcher(services.folder).changes(stop):
        insist(partial(_handle, services, change), "a change waits", stop)


def _handle(services: Services, change: Change) -> None:
    for bucket, prefix in change.rescan:
        if any(bucket == source for source, _, _ in services.objects.sources()):
            _rescan(services, bucket, prefix)
    take_in(services, change.events)


def _rescan(services: Services, bucket: str, prefix: str) -> None:
    """A bucket that alone cannot be listed (removed, without rights, on a broken disk) holds up no other's changes."""
    try:
        reconcile(services, bucket, prefix)
    except NafudaError as error:
        if everything_is_away(error):
            raise
        not_compared(bucket, prefix, error)
