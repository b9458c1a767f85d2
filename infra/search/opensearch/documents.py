"""From a document to what the index stores, and from there to a hit."""

import time
from collections.abc import Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.search.opensearch.mapping import OTHER_TAGS, UNIT, facet_field, vector_field
from schemas.document import Document
from schemas.record import Status, Visibility
from schemas.search import HIT_TAGS, TAG_CATEGORIES, Hit, fold, per_mille
from schemas.search.facets import form_values
from schemas.search.fields import ratio

LOTS = 1000
_DIGITS = 7  # a float32 has no more
STEP = 50  # per mille in a bucket of confidences
HIT_FIELDS = (
    "record",
    "collection",
    "sha256",
    "width",
    "height",
    "format",
    "rating",
    "status",
    "visibility",
    "created",
    "surest",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNTOLD = ("rating", "meta")  # say little to who cannot see the picture
_SPREAD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: neighbours get lots far apart (Knuth, TAOCP 3, 6.4)


def source(document: Document, spaces: Container[int]) -> dict[str, object]:
    """What is stored of a document, with its vectors in these spaces; a tombstone keeps its revision alone."""
    kept: dict[str, object] = {
        "record": document.record,
        "revision": document.revision,
        "deleted": document.deleted,
        "written": int(time.time() * 1000),
    }
    if document.deleted:
        return kept
    vectors = {
        vector_field(space): [round(value, _DIGITS) for value in vector.tolist()]
        for space, vector in document.vectors
        if space in spaces
    }
    return {**kept, **_form(document), **_names(document), **_tags(document), **vectors}


def _form(document: Document) -> dict[str, object]:
    pixels = document.width * document.height
    form: dict[str, object] = {
        "created": microseconds(document.created_at),
        "day": document.created_at.astimezone(UTC).toordinal(),
        "width": document.width,
        "height": document.height,
        "ratio": ratio(document.width, document.height),
        "mp": pixels // 10_000,
        "pixels": pixels,
        "bytes": document.bytes,
        "sha256": document.sha256.lower(),
        "word": list(document.words),
        "lot": lot(document.record),
        "phash": str(document.phash),
        "phash_part": parts(document.phash),
    }
    return form if document.people is None else {**form, "people": document.people}


def _names(document: Document) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for facet, value in form_values(document):
        names.setdefault(facet_field(facet), []).append(value)
    return names


def _tags(document: Document) -> dict[str, object]:
    sure: dict[tuple[str, str], int] = {}
    for tag in document.tags:
        pair = (fold(tag.category), fold(tag.name))
        sure[pair] = max(sure.get(pair, 0), per_mille(tag.confidence))
    fields: dict[str, list[str]] = {}
    for category, name in sure:
        if category in TAG_CATEGORIES:
            fields.setdefault(facet_field(category), []).append(name)
        else:  # a category may be called as a facet of another kind is
            fields.setdefault(OTHER_TAGS, []).append(category + UNIT + name)
    told = sorted((-held, name) for (category, name), held in sure.items() if category not in _UNTOLD)
    return {
        **fields,
        "tag": list(dict.fromkeys(name for _, name in sure)),
        "in": list(dict.fromkeys(category for category, _ in sure)),
        "confidence": list(dict.fromkeys(token for (_, name), held in sure.items() for token in tokens(name, held))),
        "surest": list(dict.fromkeys(name for _, name in told))[:HIT_TAGS],
    }


def tokens(name: str, held: int) -> tuple[str, str]:
    """A confidence (per mille) as two terms: its bucket of `STEP`, and itself."""
    return bucket_token(name, held // STEP), exact_token(name, held)


def bucket_token(name: str, bucket: int) -> str:
    """The term of all confidences from STEP * bucket up to the next bucket's."""
    return f"{name}{UNIT}{bucket}"


def exact_token(name: str, held: int) -> str:
    """The term of one confidence."""
    return f"{name}{UNIT}={held}"


def parts(phash: int) -> list[str]:
    """The four parts of 16 bits as terms: hashes that differ in three bits at most share one (multi-index hashing)."""
    return [f"{place}:{phash >> 16 * place & 0xFFFF:04x}" for place in range(4)]


def lot(record: int) -> int:
    """A number in 0 … LOTS - 1, as if drawn: documents with a small one are a fair sample."""
    return (record * _SPREAD % 2**64) * LOTS >> 64


def microseconds(when: datetime) -> int:
    """Microseconds since 1970."""
    return (when - _EPOCH) // _MICROSECOND


def moment(since: int) -> datetime:
    """The opposite of `microseconds`."""
    return _EPOCH + since * _MICROSECOND


def hit_of(stored: Mapping[str, Any]) -> Hit:
    """A hit from what is stored of `HIT_FIELDS`; names are kept in lists."""
    rating = stored.get("rating")
    return Hit(
        record=stored["record"],
        collection=stored["collection"][0],
        sha256=stored["sha256"],
        width=stored["width"],
        height=stored["height"],
        format=stored["format"][0],
        rating=rating[0] if rating else None,
        status=Status(stored["status"][0]),
        visibility=Visibility(stored["visibility"][0]),
        created_at=moment(stored["created"]),
        tags=tuple(stored["surest"]),
    )
