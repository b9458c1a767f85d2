"""Garbage: derived pictures of unknown content, tombstones that no late write can meet, names of objects long gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from tasks.services import VIEWS, Services
from workers.ingest.ingest import THUMBNAILS

_PAGE = 500
_YOUNG = timedelta(hours=1)  # ingest puts the thumbnail before it writes the image down


@dataclass(frozen=True, slots=True)
class Collected:
    """How much was removed."""

    pictures: int
    tombstones: int
    names: int


def collect(services: Services, older: timedelta) -> Collected:
    """Remove it; everything removed could be made again or is of no use."""
    pictures = sum(_collect_pictures(services, bucket) for bucket in services.derived.buckets() if bucket in _OURS)
    return Collected(pictures, services.index.purge(older), services.objects.forget_gone(older))


_OURS = (THUMBNAILS, VIEWS)


def _collect_pictures(services: Services, bucket: str) -> int:
    removed = 0
    for page in _pages(_old_keys(services, bucket)):
        digests = {key.rsplit("/", 1)[-1].removesuffix(".jpg"): key for key in page}
        known = services.objects.known(digests)
        for digest, key in digests.items():
            if digest not in known:
                services.derived.delete(bucket, key)
                removed += 1
    return removed


def _old_keys(services: Services, bucket: str) -> Iterator[str]:
    limit = datetime.now(UTC) - _YOUNG
    return (head.key for head in services.derived.list(bucket) if head.modified < limit)


def _pages(keys: Iterator[str]) -> Iterator[list[str]]:
    while page := list(islice(keys, _PAGE)):
        yield page
