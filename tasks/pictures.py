"""Pictures for the pages: thumbnails that ingest made, and large views made on demand in a decoding process."""

from functools import cached_property

from schemas.errors import NafudaError, NotFoundError
from schemas.ports import ObjectStore
from schemas.record import Record
from tasks.services import VIEWS
from workers.decode.limits import DecodeLimits
from workers.decode.pool import DecodePool
from workers.ingest.ingest import THUMBNAILS, thumbnail_key

LONGEST = 1600  # pixels


class DerivedPictures:
    """`schemas.services.Pictures`: everything that it gives was encoded anew, without metadata."""

    def __init__(self, store: ObjectStore, derived: ObjectStore, limits: DecodeLimits) -> None:
        self._store = store
        self._derived = derived
        self._limits = limits

    @cached_property
    def _decoder(self) -> DecodePool:
        return DecodePool(1, self._limits)

    def thumbnail(self, sha256: str) -> bytes | None:
        """The small rendition, or None when ingest has not made it (yet)."""
        return self._kept(THUMBNAILS, thumbnail_key(sha256))

    def view(self, record: Record) -> bytes | None:
        """The large rendition, made at the first look and kept; None when the bytes are gone or unreadable."""
        key = thumbnail_key(record.sha256)
        kept = self._kept(VIEWS, key)
        if kept is not None:
            return kept
        for place in record.places:
            try:
                head = self._store.head(place.bucket, place.key)
                if head is None:
                    continue
                made = self._decoder.render(self._store.read(head, self._limits.max_bytes), LONGEST)
            except NafudaError:
                continue
            self._derived.put(VIEWS, key, made, "image/jpeg")
            return made
        return None

    def close(self) -> None:
        """End the decoding process, if there is one."""
        if "_decoder" in self.__dict__:
            self._decoder.close()

    def _kept(self, bucket: str, key: str) -> bytes | None:
        try:
            with self._derived.open(bucket, key) as file:
                return file.read()
        except NotFoundError:
            return None
