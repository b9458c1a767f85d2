"""A store that tells of its outages: whatever asks it, the first request that it does not answer is heard of."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from schemas.errors import ChangedError, DeniedError, NafudaError, TransientError
from schemas.images import Look, ObjectHead
from schemas.ports import ObjectStore


class TellingStore:
    """`schemas.ports.ObjectStore` that is another one, and tells how each request went.

    Reading and writing are told apart: a server whose disk is full answers the one and refuses the other.
    """

    def __init__(
        self, store: ObjectStore, away: Callable[[NafudaError, str], None], there: Callable[[str], None]
    ) -> None:
        """away, there: called after each request with what was asked for, "reading" or "writing" and the place."""
        self.place = store.place
        self._store = store
        self._away = away
        self._there = there
        self._reading, self._writing = f"reading {store.place}", f"writing {store.place}"

    def buckets(self) -> list[str]:
        """Names of the buckets that can be seen, sorted."""
        with self._telling(self._reading):
            return self._store.buckets()

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        with self._telling(self._writing):
            self._store.make_bucket(name)

    def head(self, bucket: str, key: str, version: str = "") -> ObjectHead | None:
        """What is stored under a key."""
        with self._telling(self._reading):
            return self._store.head(bucket, key, version)

    def look(self, bucket: str, key: str, fits: Callable[[int], bool]) -> Look | None:
        """What is stored under a key, with its bytes where they fit."""
        with self._telling(self._reading):
            return self._store.look(bucket, key, fits)

    def read(self, head: ObjectHead, limit: int) -> bytes:
        """The bytes of exactly that object."""
        with self._telling(self._reading):
            return self._store.read(head, limit)

    @contextmanager
    def open(self, bucket: str, key: str, version: str = "") -> Iterator[IO[bytes]]:
        """A readable stream of an object; what goes wrong while it is read is not told."""
        with ExitStack() as stack:
            with self._telling(self._reading):
                stream = stack.enter_context(self._store.open(bucket, key, version))
            yield stream

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        """Store an object whole or not at all."""
        with self._telling(self._writing):
            return self._store.put(bucket, key, data, content_type)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object."""
        with self._telling(self._writing):
            self._store.delete(bucket, key)

    def versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every version of every object under a prefix; that it answered is told at the end."""
        with self._telling(self._reading):
            yield from self._store.versions(bucket, prefix)

    def erase(self, head: ObjectHead) -> bool:
        """Remove exactly this version; whether it went."""
        with self._telling(self._writing):
            return self._store.erase(head)

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every object under a prefix; that it answered is told at the end."""
        with self._telling(self._reading):
            yield from self._store.list(bucket, prefix)

    def close(self) -> None:
        """Let go of what the other one holds."""
        self._store.close()

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ChangedError, DeniedError):  # transient as well, but from a server that is there
            self._there(what)
            raise
        except TransientError as error:
            self._away(error, what)
            raise
        except NafudaError:
            self._there(what)
            raise
        self._there(what)
