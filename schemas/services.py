"""What the pages are given to work with: a bundle of ports, joined by whoever starts the server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from schemas.events import ObjectEvent
from schemas.ledger import Outcome, RecordLedger, ResultLedger, WorkLedger
from schemas.market import MarketChoice
from schemas.ports import ObjectStore
from schemas.record import Record
from schemas.review import Accounts, ReviewDesk
from schemas.search import SearchIndex
from schemas.search.similar import QueryEncoder, SimilarImages
from schemas.signing import Signer


class Pictures(Protocol):
    """Pictures that are safe to send to a browser: JPEG bytes made anew from pixels, without any metadata (R76)."""

    def thumbnail(self, record: Record) -> bytes | None:
        """A small rendition (upright, longest side about 512 px), or None when the bytes are gone or unreadable.

        TransientError, here and below, when too many pictures are being made.
        """

    def view(self, record: Record) -> bytes | None:
        """A large rendition (upright, longest side about 1600 px), or None when the bytes are gone or unreadable."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """One thing that must work before traffic is sent here. `detail` says what is wrong and what to do."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Where uploads go and how much is taken at once. Sizes are bytes."""

    bucket: str
    file_bytes: int = 64 * 2**20
    files: int = 50
    request_bytes: int = 512 * 2**20


@dataclass(frozen=True, slots=True)
class WebServices:
    """Everything that `web.create_app` needs. Callables are called from many threads at once.

    stored: takes facts about objects that were just put, writes them down and wakes the workers; returns how many were
    taken in. notified: takes a raw notification and keeps it, as hints or as a dead letter; returns how many of what.
    outcomes: what became of (bucket, key) objects. progress: counts of objects (settled, of them refused, all).
    refresh: merges and indexes these records at once, so that an edit or a decision shows in the next search. retry:
    makes failed work of (record, stage) ready again. market: a record's tags for sale. ready: checks of everything
    that must work. metrics: Prometheus text. events_secret: what senders of notifications must know; empty: none may
    send. allowed_hosts: accepted Host names without port; empty accepts any. secure_cookies: the site is reached by
    https only. samples_only: every active model is a sample model. encoder: texts to vectors, None where nobody plays
    that role. signer: uploads and downloads past the pages, None where all files pass through them.
    """

    search: SearchIndex
    records: RecordLedger
    results: ResultLedger
    work: WorkLedger
    objects: ObjectStore
    pictures: Pictures
    desk: ReviewDesk
    similar: SimilarImages
    accounts: Accounts
    stored: Callable[[Sequence[ObjectEvent]], int]
    notified: Callable[[str], Mapping[str, int]]
    refresh: Callable[[Sequence[int]], None]
    retry: Callable[[int, str], None]
    market: Callable[[Record], MarketChoice]
    outcomes: Callable[[Sequence[tuple[str, str]]], Sequence[Outcome]]
    progress: Callable[[], tuple[int, int, int]]
    ready: Callable[[], Sequence[Readiness]]
    metrics: Callable[[], bytes]
    uploads: UploadLimits
    version: str
    events_secret: str = field(default="", repr=False)
    encoder: QueryEncoder | None = None
    signer: Signer | None = None
    samples_only: bool = False
    secure_cookies: bool = False
    allowed_hosts: tuple[str, ...] = ()
    lease: timedelta = timedelta(minutes=10)
    session_length: timedelta = timedelta(days=14)
