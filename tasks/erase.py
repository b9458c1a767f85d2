"""Erasure: an image that somebody demands to be forgotten goes, with what was made of it and said of it (R76)."""

import hashlib
import logging
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from infra.records.erasure import KnownContent
from schemas.errors import ConflictError, NotFoundError
from schemas.events import EventKind, ObjectEvent
from schemas.images import ObjectHead
from schemas.pipeline import INGEST
from schemas.ports import ObjectStore
from tasks.services import VIEWS, Services
from workers.ingest.ingest import THUMBNAILS, thumbnail_key

log = logging.getLogger(__name__)
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed: objects (bucket/key, or bucket/key@version), tag files likewise, counts of the rest."""

    sha256: str
    objects: tuple[str, ...]
    sidecars: tuple[str, ...]
    pictures: int
    records: tuple[int, ...]
    results: int


def content_of(services: Services, name: str) -> KnownContent:
    """What would be erased. NotFoundError when no image is known by that name."""
    return services.erasure.content(services.records.find(name))


def erase(services: Services, content: KnownContent, lost: Container[str] = ()) -> Removed:
    """Erase a content everywhere. The ledgers forget it last, so whatever breaks this off, it can be repeated.

    lost: buckets that were removed for good. ConflictError, and nothing was touched, when another one in which a copy
    is known to lie is not there: the record would be forgotten, and the bytes would stay.
    """
    beside = [head for place in content.beside for head in _of_key(services.store, *place)]
    holding, left = _holding(services, content, lost)
    # Tag files first: without their images nobody would know whose they are.
    sidecars, newer = _erase_all(services.store, beside)
    objects, others = _erase_all(services.store, holding)
    pictures = sum(_erase_key(services.derived, kind, thumbnail_key(content.sha256)) for kind in (THUMBNAILS, VIEWS))
    emptied = [*((head.bucket, head.key) for head in (*objects, *sidecars)), *content.places, *content.beside]
    results = services.erasure.forget(content.image, emptied, services.index.forget)
    _look_again(services, sorted(left | newer | others))
    return Removed(content.sha256, _named(objects), _named(sidecars), pictures, content.records, results)


def _erase_all(store: ObjectStore, heads: Sequence[ObjectHead]) -> tuple[list[ObjectHead], set[tuple[str, str]]]:
    """Erase versions; returns those that went, and the places of those that were overwritten or removed meanwhile."""
    went: list[ObjectHead] = []
    others: set[tuple[str, str]] = set()
    for head in heads:
        if store.erase(head):
            went.append(head)
        else:
            others.add((head.bucket, head.key))
    return went, others


def _erase_key(store: ObjectStore, bucket: str, key: str) -> int:
    """Erase every version of one key, and once more what was made anew meanwhile; returns how many went."""
    return sum(store.erase(head) for _ in range(2) for head in _of_key(store, bucket, key))


def _holding(
    services: Services, content: KnownContent, lost: Container[str]
) -> tuple[list[ObjectHead], set[tuple[str, str]]]:
    """Every version of every object that holds the bytes, known or not; and places of theirs that hold others, too.

    All versions of all buckets are looked at: the ledgers know current ones alone. Only those of its size are read.
    """
    holding: dict[tuple[str, str, str], ObjectHead] = {}
    left: set[tuple[str, str]] = set()
    needed = {bucket for bucket, _ in content.places if bucket not in lost}
    for head in _everything(services, needed):
        if (head.bucket, head.key, head.version) in holding:  # of a prefix within another
            continue
        if head.size == content.bytes and _sha256(services.store, head) == content.sha256:
            holding[head.bucket, head.key, head.version] = head
        elif (head.bucket, head.key) in content.places:
            left.add((head.bucket, head.key))
    return list(holding.values()), left


def _everything(services: Services, needed: Container[str]) -> Iterator[ObjectHead]:
    """Every version in every bucket and prefix that is listened to, those of nested prefixes twice."""
    for bucket, prefix, _ in services.objects.sources():
        try:
            yield from services.store.versions(bucket, prefix)
        except NotFoundError as error:
            if bucket in needed:
                raise ConflictError(
                    f"nothing is erased: a copy lies in the bucket {bucket}, and {error}. Is NAFUDA_OBJECTS_URL the"
                    f" store that it is in? When the bucket was removed for good, say --lost {bucket}"
                ) from None
            log.warning("not looked at: %s", error, extra={"bucket": bucket, "prefix": prefix})


def _sha256(store: ObjectStore, head: ObjectHead) -> str:
    """Of a version's bytes, in bounded memory; "" when it went away meanwhile."""
    digest = hashlib.sha256()
    try:
        with store.open(head.bucket, head.key, head.version) as stream:
            while part := stream.read(_STEP):
                digest.update(part)
    except NotFoundError:
        return ""
    return digest.hexdigest()


def _of_key(store: ObjectStore, bucket: str, key: str) -> list[ObjectHead]:
    """Every version of one key."""
    try:
        return [head for head in store.versions(bucket, key) if head.key == key]
    except NotFoundError:
        return []


def _look_again(services: Services, places: Sequence[tuple[str, str]]) -> None:
    """What lies there now is other content, which was below it or came meanwhile."""
    if services.objects.note([ObjectEvent(EventKind.CHANGED, bucket, key) for bucket, key in places]):
        services.wake(INGEST)


def _named(heads: Sequence[ObjectHead]) -> tuple[str, ...]:
    return tuple(f"{head.bucket}/{head.key}" + (f"@{head.version}" if head.version else "") for head in heads)
