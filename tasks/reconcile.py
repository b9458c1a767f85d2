"""Reconcile: compares what buckets hold with what the ledger knows, because every store loses events."""

import logging
import random
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from schemas.errors import NafudaError, NotFoundError
from schemas.events import EventKind, ObjectEvent
from schemas.images import ObjectHead
from schemas.ledger import BACKFILL
from schemas.pipeline import INGEST
from tasks.services import Services

log = logging.getLogger(__name__)
_PAGE = 1000
_AWAY = (10.0, 20.0)  # seconds until a server that was away is asked again


@dataclass(frozen=True, slots=True)
class Difference:
    """How many objects nobody had told us of, and how many are gone without a word."""

    unknown: int = 0
    changed: int = 0
    gone: int = 0


def reconcile_all(services: Services) -> Difference:
    """Every bucket or prefix of every collection."""
    total = Difference()
    for bucket, prefix, _ in services.objects.sources():
        try:
            each = reconcile(services, bucket, prefix)
        except NotFoundError as error:  # a bucket that is not there is no reason to call its objects gone
            log.warning("not reconciled: %s", error, extra={"bucket": bucket, "prefix": prefix})
            continue
        total = Difference(total.unknown + each.unknown, total.changed + each.changed, total.gone + each.gone)
    return total


def compare_by_schedule(services: Services, stop: threading.Event) -> None:
    """Compare everything by schedule until told to stop (the listener does at its start); an outage is said once."""
    every = services.settings.reconcile_every.total_seconds()
    pause, away = every, False
    while not stop.wait(pause):
        try:
            reconcile_all(services)
            pause, away = every, False
        except NafudaError as error:
            if not away:
                log.warning("buckets are not compared: %s; trying again", error)
            pause, away = min(every, random.uniform(*_AWAY)), True


def reconcile(services: Services, bucket: str, prefix: str = "", *, dry: bool = False) -> Difference:
    """Hints for every difference under a prefix, behind live work; both sides are read in order, a page at a time.

    dry: differences are counted only.
    """
    counts = {"unknown": 0, "changed": 0, "gone": 0}
    found = _differences(services.store.list(bucket, prefix), _known(services, bucket, prefix))
    for page in _pages(found, _PAGE):
        events = [
            ObjectEvent(EventKind.REMOVED if why == "gone" else EventKind.CREATED, bucket, key, source="reconcile")
            for why, key in page
        ]
        for why, _ in page:
            counts[why] += 1
        if not dry:
            services.objects.note(events, BACKFILL)
            services.wake(INGEST)
    if any(counts.values()) and not dry:
        log.info("reconciled", extra={"bucket": bucket, "prefix": prefix, **counts})
    return Difference(**counts)


def _known(services: Services, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    after = ""
    while page := services.objects.page(bucket, prefix, after, _PAGE):
        yield from page
        after = page[-1][0]


def _differences(stored: Iterator[ObjectHead], known: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """(why, key) wherever two lists in the same order differ."""
    there, here = next(stored, None), next(known, None)
    while there is not None or here is not None:
        if here is None or (there is not None and there.key < here[0]):
            assert there is not None
            yield "unknown", there.key
            there = next(stored, None)
        elif there is None or here[0] < there.key:
            yield "gone", here[0]
            here = next(known, None)
        else:
            if here[1] and there.etag != here[1]:  # without an etag ingest is at it, or has failed and said why
                yield "changed", there.key
            there, here = next(stored, None), next(known, None)


def _pages(items: Iterable[tuple[str, str]], size: int) -> Iterator[list[tuple[str, str]]]:
    source = iter(items)
    while page := list(islice(source, size)):
        yield page
