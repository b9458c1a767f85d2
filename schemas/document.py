"""The document: a record's projection into a search index, the same for every index."""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.record import Status, Visibility
from schemas.results import Floats


@dataclass(frozen=True, slots=True)
class DocumentTag:
    """A tag above its threshold or confirmed by a person (confidence 1.0), implications included."""

    name: str
    category: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Document:
    """What search knows of one record.

    `revision` is the external version: a write with a lower one is dropped. `deleted` is a soft tombstone. `words`
    are lower-case tokens made by `schemas.search.words`, of keys, captions and what was read in the picture. `flags`
    are open policy names. `review` is "", "open", "kept" or "removed". `vectors` are (model, (D,) float32 of length 1)
    for an index that searches them itself; PostgreSQL finds them beside its tables.
    """

    record: int
    revision: int
    deleted: bool
    collection: str
    visibility: Visibility
    status: Status
    sha256: str
    format: str
    width: int
    height: int
    bytes: int
    created_at: datetime
    tags: tuple[DocumentTag, ...]
    objects: tuple[str, ...]  # labels of detections above their thresholds, without duplicates
    people: int | None
    rating: str | None
    colours: tuple[str, ...]
    words: tuple[str, ...]
    flags: tuple[str, ...]
    review: str
    phash: int
    vectors: tuple[tuple[int, Floats], ...] = field(default=(), compare=False)
