"""Facts about stored objects, in our own words, whatever server said them and in whatever shape."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAX_KEY_BYTES = 1024


class EventKind(StrEnum):
    """What an event hints at. A HEAD decides what is really there."""

    CREATED = "created"
    REMOVED = "removed"
    CHANGED = "changed"  # metadata, tags, restore: the bytes may be the same


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """A hint that an object changed: look at (bucket, key, version) again.

    `key` is decoded text; `version` is "" in buckets without versions. `etag` has no quotes.
    `sequencer` is upper-case hexadecimal or None; it is only comparable within one (source, bucket, key).
    """

    kind: EventKind
    bucket: str
    key: str
    version: str = ""
    source: str = "folder"
    event_id: str = ""
    etag: str | None = None
    size: int | None = None
    sequencer: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notification that could not be understood. `source` is the queue, or whoever else brought it."""

    id: int
    source: str
    reason: str
    at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue of notifications at a moment; None where its server does not tell.

    waiting: messages that nobody has. taken: that somebody has, and has not confirmed. consumers: who listens.
    given_up: that the server's own rule put aside, because they were given out too often and never confirmed.
    """

    waiting: int
    taken: int | None = None
    consumers: int | None = None
    given_up: int | None = None
