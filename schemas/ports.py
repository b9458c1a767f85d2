"""The ports: what we ask of the outside world, as protocols that adapters fulfil.

Every method may be called from many threads at once. Times are aware and in UTC, durations are
`timedelta`. A method that cannot reach its server raises `TransientError`; a wrong request raises a
`PermanentError`. Records ports are in `schemas.ledger` and `schemas.review`, search in `schemas.search`.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import IO, Protocol

from schemas.events import QueueState
from schemas.images import Look, ObjectHead


class ObjectStore(Protocol):
    """Buckets of objects: S3, or a folder on a disk."""

    @property
    def place(self) -> str:
        """What people call it: a folder, a server's address."""

    def buckets(self) -> list[str]:
        """Names of the buckets that can be seen, sorted."""

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket; one that exists is left as it is."""

    def head(self, bucket: str, key: str, version: str = "") -> ObjectHead | None:
        """What is stored under a key now, or None when nothing is (or only a delete marker)."""

    def look(self, bucket: str, key: str, fits: Callable[[int], bool]) -> Look | None:
        """`head`, and the bytes along with it, in one request where the store can.

        fits: asked once for a size in bytes; the bytes come along where it says so. Raises as `head` and `read`.
        """

    def read(self, head: ObjectHead, limit: int) -> bytes:
        """The object's bytes, at most `limit`.

        Raises RefusedError (code "too-large") beyond the limit, TransientError when the object changed since
        `head` or went away.
        """

    def open(self, bucket: str, key: str, version: str = "") -> AbstractContextManager[IO[bytes]]:
        """A readable stream of the current object, or of a version of it; NotFoundError when there is none."""

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        """Store an object whole or not at all: a reader never sees half of it."""

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; removing what is not there is not an error."""

    def versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every version of every object under a prefix, older ones too, ordered by key, in bounded memory.

        Where a bucket keeps none, each object is its own one.
        """

    def erase(self, head: ObjectHead) -> bool:
        """Remove exactly this version, of `versions`, for good.

        False, and nothing happens, when it is there no more: what was put in its place meanwhile stays. Whether a
        version with an id of its own, which nobody can overwrite, was still there may be unknown: True then.
        """

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every object under a prefix, ordered by key, in bounded memory."""

    def close(self) -> None:
        """Let go of what is held: connections."""


class Arrival(Protocol):
    """Raw notifications that came together, at least one; their sender keeps them until they are confirmed."""

    @property
    def bodies(self) -> Sequence[str]:
        """What was sent, as texts, in the order in which they came."""

    def hold(self) -> None:
        """Say that they are still at work, so that they are not given to somebody else. May be called at any rate."""

    def confirm(self) -> None:
        """Say that what they said is committed."""


class EventSource(Protocol):
    """Where raw notifications arrive: a queue of a broker. Unlike other ports it belongs to one thread."""

    @property
    def name(self) -> str:
        """What dead letters are kept under: the queue's name."""

    @property
    def place(self) -> str:
        """Where it is, fit for a log: without a password."""

    def arrivals(self) -> Generator[Arrival | None, None, None]:
        """Connect, then give what arrives, without end; None first, and at least once a second while nothing does.

        What has come by then comes together, in bounded memory. It is confirmed, or never will be, when the next is
        asked for. TransientError when the server is away or refuses us; closing the iterator lets the connection go,
        and gives back what was not confirmed.
        """

    def look(self) -> QueueState:
        """How the queue is, on a connection of its own; takes nothing. TransientError as above."""
