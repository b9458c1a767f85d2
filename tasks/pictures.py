"""Pictures for the pages: thumbnails and large views, kept or made on demand in a decoding process."""

import hashlib
import logging
import threading
from collections.abc import Callable
from functools import cached_property

from schemas.errors import NafudaError, NotFoundError, TransientError
from schemas.ports import ObjectStore
from schemas.record import Record
from tasks.services import VIEWS
from workers.decode.limits import DecodeLimits
from workers.decode.pool import DecodePool
from workers.ingest.ingest import THUMBNAILS, keep, thumbnail_key

log = logging.getLogger(__name__)
LONGEST = 1600  # pixels
LINE = 16  # requests that may wait for pictures to be made: the pages' other threads stay free


class DerivedPictures:
    """`schemas.services.Pictures`: everything that it gives was encoded anew, without metadata.

    One picture is made at a time, so one file is in memory, and a picture that many ask for is made once.
    """

    def __init__(self, store: ObjectStore, derived: ObjectStore, limits: DecodeLimits) -> None:
        self._store = store
        self._derived = derived
        self._limits = limits
        self._turn = threading.Lock()
        self._line = threading.BoundedSemaphore(LINE)

    @cached_property
    def _decoder(self) -> DecodePool:
        return DecodePool(1, self._limits)

    def thumbnail(self, record: Record) -> bytes | None:
        """The small rendition: ingest made it, or it is made again; None when the bytes are gone or unreadable."""
        return self._kept_or_made(THUMBNAILS, record, self._small)

    def view(self, record: Record) -> bytes | None:
        """The large rendition, made at the first look and kept; None when the bytes are gone or unreadable."""
        return self._kept_or_made(VIEWS, record, lambda content: self._decoder.render(content, LONGEST))

    def close(self) -> None:
        """End the decoding process, if there is one."""
        if "_decoder" in self.__dict__:
            self._decoder.close()

    def _small(self, content: bytes) -> bytes:
        facts = self._decoder.submit(content, (), facts=True).result().facts
        assert facts is not None  # they were asked for
        return facts.thumbnail

    def _kept_or_made(self, bucket: str, record: Record, make: Callable[[bytes], bytes]) -> bytes | None:
        key = thumbnail_key(record.sha256)
        if (kept := self._kept(bucket, key)) is not None:
            return kept
        if not self._line.acquire(blocking=False):
            raise TransientError("Many pictures are being made anew: reload in a moment.", code="busy")
        try:
            with self._turn:
                if (kept := self._kept(bucket, key)) is not None:  # whoever was here before made it
                    return kept
                if (made := self._made(record, make)) is not None:
                    self._keep(bucket, key, made)
                return made
        finally:
            self._line.release()

    def _made(self, record: Record, make: Callable[[bytes], bytes]) -> bytes | None:
        for place in record.places:
            try:
                look = self._store.look(place.bucket, place.key, lambda size: size <= self._limits.max_bytes)
                content = look.content if look is not None else None
                # What was put there since belongs to another record, which others may be allowed to see.
                if content is not None and hashlib.sha256(content).hexdigest() == record.sha256:
                    return make(content)
            except NafudaError:
                continue
        return None

    def _kept(self, bucket: str, key: str) -> bytes | None:
        try:
            with self._derived.open(bucket, key) as file:
                return file.read()
        except NotFoundError:
            return None

    def _keep(self, bucket: str, key: str, made: bytes) -> None:
        """A picture that cannot be kept is shown all the same."""
        try:
            keep(self._derived, bucket, key, made)
        except NafudaError as error:
            log.warning("%s/%s is not kept: %s", bucket, key, error)
