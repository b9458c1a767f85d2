"""The ports: what we ask of the outside world, as protocols that adapters fulfil.

Every method may be called from many threads at once. Times are aware and in UTC, durations are
`timedelta`. A method that cannot reach its server raises `TransientError`; a wrong request raises a
`PermanentError`. Records ports are in `schemas.ledger` and `schemas.review`, search in `schemas.search`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Protocol

from schemas.images import ObjectHead


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

    def read(self, head: ObjectHead, limit: int) -> bytes:
        """The object's bytes, at most `limit`.

        Raises RefusedError (code "too-large") beyond the limit, TransientError when the object changed since
        `head` or went away.
        """

    def open(self, bucket: str, key: str) -> AbstractContextManager[IO[bytes]]:
        """A readable stream of the current object; NotFoundError when there is none."""

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        """Store an object whole or not at all: a reader never sees half of it."""

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; removing what is not there is not an error."""

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every object under a prefix, ordered by key, in bounded memory."""

    def close(self) -> None:
        """Let go of what is held: connections."""
