"""Reconcile: compares what buckets hold with what the ledger knows, because every store loses events."""

import logging
import random
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from schemas.errors import DeniedError, NafudaError, NotFoundError, TransientError
from schemas.events import EventKind, ObjectEvent
from schemas.images import ObjectHead
from schemas.ledger import BACKFILL
from schemas.pipeline import INGEST
from tasks.services import Services

log = logging.getLogger(__name__)
_PAGE = 1000
_EVERYTHING = frozenset({"store-away", "folder-gone", "database"})  # codes of what all buckets share
_AWAY = (10.0, 20.0)  # seconds until a server that was away is asked again


@dataclass(frozen=True, slots=True)
class Difference:
    """How many objects nobody had told us of, and how many are gone without a word."""

    unknown: int = 0
    changed: int = 0
    gone: int = 0

    def __add__(self, other: "Difference") -> "Difference":
        return Difference(self.unknown + other.unknown, self.changed + other.changed, self.gone + other.gone)


@dataclass
class Comparison:
    """Every bucket or prefix of every collection, compared once: one that cannot be listed keeps no other from it.

    It may take several attempts: what is through is not listed again, and what cannot be compared is said once.
    """

    services: Services
    begun: float = field(default_factory=time.monotonic)
    denied: list[NafudaError] = field(default_factory=list)
    _through: set[tuple[str, str]] = field(default_factory=set)
    _said: set[tuple[str, str]] = field(default_factory=set)
    _last: set[tuple[str, str]] = field(default_factory=set)

    def attempt(self) -> Difference:
        """Compare what is not through yet. TransientError when it is worth to try again soon.

        What an operator must mend (`denied`: a bucket that is not there, a missing right) is not: it is through.
        """
        total, failed = Difference(), None
        sources = {(bucket, prefix) for bucket, prefix, _ in self.services.objects.sources()} - self._through
        for bucket, prefix in sorted(sources, key=lambda source: (source in self._last, source)):
            try:
                total += reconcile(self.services, bucket, prefix)
            except NafudaError as error:
                if everything_is_away(error):
                    self._last.add((bucket, prefix))  # should it be away alone, the others come first next time
                    raise
                self._say(bucket, prefix, error)
                if isinstance(error, TransientError) and not isinstance(error, DeniedError):
                    failed = failed or error
                    continue
                self.denied.append(error)
            self._through.add((bucket, prefix))
        if failed is not None:
            raise failed
        return total

    def _say(self, bucket: str, prefix: str, error: NafudaError) -> None:
        if (bucket, prefix) not in self._said:
            self._said.add((bucket, prefix))
            not_compared(bucket, prefix, error)


def everything_is_away(error: NafudaError) -> bool:
    """True when no other bucket could be compared either; each would take until its time-out."""
    return error.code in _EVERYTHING


def not_compared(bucket: str, prefix: str, error: NafudaError) -> None:
    """Say why a bucket is not compared, and how that is mended. Nothing in it counts as gone."""
    mend = "; make the bucket, or mount its disk" if isinstance(error, NotFoundError) else ""
    log.warning("not compared, and tried again: %s%s", error, mend, extra={"bucket": bucket, "prefix": prefix})


def reconcile_all(services: Services) -> Difference:
    """Compare everything now, for somebody who waits for it: what is denied is an error, after all others are through.

    A bucket that is not there is only said: its disk may be mounted elsewhere today.
    """
    comparison = Comparison(services)
    total = comparison.attempt()
    for error in comparison.denied:
        if isinstance(error, TransientError):
            raise error
    return total


def compare_by_schedule(services: Services, stop: threading.Event) -> None:
    """Compare everything by schedule until told to stop (the listener does at its start); an outage is said once."""
    every = services.settings.reconcile_every.total_seconds()
    pause, away, comparison = every, False, Comparison(services)
    while not stop.wait(pause):
        if not away or time.monotonic() - comparison.begun > every:
            comparison = Comparison(services)
        try:
            comparison.attempt()
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
