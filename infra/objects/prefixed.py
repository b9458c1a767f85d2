"""Several small buckets in one: each is a prefix of a bucket of another store."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO

from schemas.errors import NotFoundError
from schemas.images import Look, ObjectHead
from schemas.ports import ObjectStore


class PrefixedStore:
    """`schemas.ports.ObjectStore` whose bucket `x` is what lies under `PREFIXx/` in one bucket of another store.

    The names are closed: another one is a bucket that is not there and cannot be made.
    """

    def __init__(self, store: ObjectStore, bucket: str, prefix: str, names: Collection[str]) -> None:
        """bucket: of `store`. prefix: "", or with a slash at its end. names: the buckets there are."""
        self.place = f"{store.place}, bucket {bucket}" + (f", below {prefix}" if prefix else "")
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._names = frozenset(names)

    def buckets(self) -> list[str]:
        """The names, sorted; nobody is asked."""
        return sorted(self._names)

    def make_bucket(self, name: str) -> None:
        """Make the bucket that all of them lie in."""
        self._base(name)
        self._store.make_bucket(self._bucket)

    def head(self, bucket: str, key: str, version: str = "") -> ObjectHead | None:
        """What is stored under a key."""
        if bucket not in self._names:
            return None
        found = self._store.head(self._bucket, self._base(bucket) + key, version)
        return None if found is None else replace(found, bucket=bucket, key=key)

    def look(self, bucket: str, key: str, fits: Callable[[int], bool]) -> Look | None:
        """What is stored under a key, with its bytes where they fit."""
        if bucket not in self._names:
            return None
        found = self._store.look(self._bucket, self._base(bucket) + key, fits)
        return None if found is None else Look(replace(found.head, bucket=bucket, key=key), found.content)

    def read(self, head: ObjectHead, limit: int) -> bytes:
        """The bytes of exactly that object."""
        inner = replace(head, bucket=self._bucket, key=self._base(head.bucket) + head.key)
        return self._store.read(inner, limit)

    @contextmanager
    def open(self, bucket: str, key: str, version: str = "") -> Iterator[IO[bytes]]:
        """A readable stream of the current object, or of a version of it."""
        with self._store.open(self._bucket, self._base(bucket) + key, version) as stream:
            yield stream

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        """Store an object whole or not at all. NotFoundError when the bucket of all is not there."""
        put = self._store.put(self._bucket, self._base(bucket) + key, data, content_type)
        return replace(put, bucket=bucket, key=key)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object."""
        if bucket in self._names:
            self._store.delete(self._bucket, self._base(bucket) + key)

    def versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every version under a prefix."""
        base = self._base(bucket)
        for found in self._store.versions(self._bucket, base + prefix):
            yield replace(found, bucket=bucket, key=found.key.removeprefix(base))

    def erase(self, head: ObjectHead) -> bool:
        """Remove exactly this version; whether it went."""
        return self._store.erase(replace(head, bucket=self._bucket, key=self._base(head.bucket) + head.key))

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every object of a bucket under a prefix, ordered by key."""
        base = self._base(bucket)
        for found in self._store.list(self._bucket, base + prefix):
            yield replace(found, bucket=bucket, key=found.key.removeprefix(base))

    def close(self) -> None:
        """The other store is closed by whoever opened it."""

    def _base(self, bucket: str) -> str:
        if bucket not in self._names:
            raise NotFoundError(f"bucket {bucket!r}: there are only {', '.join(sorted(self._names))}")
        return f"{self._prefix}{bucket}/"
