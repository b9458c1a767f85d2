"""Ingest of a chunk of objects: HEAD, fetch, hash, decode what is new, keep thumbnails, write it all down."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from schemas.errors import NafudaError, NotFoundError, PermanentError, RefusedError, TransientError
from schemas.images import ImageFacts, Look, ObjectHead
from schemas.ledger import LIVE, Found, ObjectLedger, ObjectRow
from schemas.ports import ObjectStore
from workers.batching.batch import Prepared
from workers.cache import InputCache
from workers.decode.pool import DecodedImage, DecodePool
from workers.fetching import Looks, Several, portions
from workers.ingest import sidecars
from workers.steps.program import InputProgram

log = logging.getLogger(__name__)
THUMBNAILS = "thumbnails"
AT_ONCE = 128 * 2**20  # bytes of objects in memory for one chunk


def thumbnail_key(sha256: str) -> str:
    """Where the thumbnail of a content lies in the derived store's bucket `thumbnails`."""
    return f"{sha256[:2]}/{sha256}.jpg"


def keep(derived: ObjectStore, bucket: str, key: str, made: bytes) -> None:
    """Put a JPEG among the derived pictures; a bucket that somebody removed meanwhile is made again.

    Whatever the place refuses is TransientError: the operator mends the place, and no image is to blame for it.
    """
    try:
        try:
            derived.put(bucket, key, made, "image/jpeg")
        except NotFoundError:
            derived.make_bucket(bucket)
            derived.put(bucket, key, made, "image/jpeg")
    except PermanentError as error:
        raise TransientError(f"{derived.place} takes no pictures: {error}", code="derived-away") from error


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes and who they are."""

    row: ObjectRow
    head: ObjectHead
    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Ingest:
    """The parts that ingest works with. programs: inputs of the models in this process, decoded along.

    at_once: bytes of objects that may be in memory for one chunk; a larger object is alone there.
    """

    store: ObjectStore
    derived: ObjectStore
    ledger: ObjectLedger
    decoder: DecodePool
    inputs: InputCache
    programs: tuple[InputProgram, ...]
    several: Several
    max_bytes: int
    at_once: int = AT_ONCE

    def run(self, ids: Sequence[int]) -> dict[int, NafudaError]:
        """Ingest these objects; returns the errors of those that could not be finished, by id.

        Refusals are no errors here: they are written down as what became of the object.
        """
        errors: dict[int, NafudaError] = {}
        for portion in portions(self._changed(self.ledger.objects(ids), errors), self.at_once):
            self._settle(list(self._fetch(portion, errors)), errors)
        return errors

    def _changed(self, rows: Sequence[ObjectRow], errors: dict[int, NafudaError]) -> list[tuple[ObjectRow, Look]]:
        """What has to be read; what is gone or as before is settled on the way."""
        changed: list[tuple[ObjectRow, Look]] = []
        unchanged: list[tuple[int, int]] = []
        look = partial(_look, Looks(self.store, self.at_once, self.max_bytes))
        for row, found in zip(rows, self.several.each(look, rows), strict=True):
            if isinstance(found, NafudaError):
                self._unread(row, _nothing(row), found, errors)
            elif found is None:
                self.ledger.gone(row.id, row.checks)
            elif row.unchanged(found.head):
                unchanged.append((row.id, row.checks))
            else:
                changed.append((row, found))
        self.ledger.unchanged(unchanged)
        return changed

    def _fetch(self, portion: Sequence[tuple[ObjectRow, Look]], errors: dict[int, NafudaError]) -> Iterator[Fetched]:
        for (row, look), found in zip(portion, self.several.each(self._read, portion), strict=True):
            if isinstance(found, NotFoundError):
                self.ledger.gone(row.id, row.checks)
            elif isinstance(found, NafudaError):
                self._unread(row, look.head, found, errors)
            elif isinstance(found, Fetched):
                yield found
            else:
                self._beside(row, look.head, found, errors)

    def _read(self, this: tuple[ObjectRow, Look]) -> Fetched | bytes:
        """A picture, or the bytes of a sidecar."""
        row, look = this
        if row.key.endswith(sidecars.SUFFIX):
            return self.store.read(look.head, sidecars.MOST_BYTES)
        content = self.store.read(look.head, self.max_bytes) if look.content is None else look.content
        return Fetched(row, look.head, content, hashlib.sha256(content).hexdigest())

    def _beside(self, row: ObjectRow, head: ObjectHead, text: bytes, errors: dict[int, NafudaError]) -> None:
        try:
            self.ledger.sidecar(row.id, row.checks, head, sidecars.from_text(text))
        except NafudaError as error:
            self._unread(row, head, error, errors)

    def _settle(self, fetched: Sequence[Fetched], errors: dict[int, NafudaError]) -> None:
        """Decode each new content once, and write down what the objects hold."""
        known = self.ledger.known({each.sha256 for each in fetched})
        decoding: dict[str, Future[DecodedImage]] = {}
        for each in fetched:
            if each.sha256 not in known and each.sha256 not in decoding:
                decoding[each.sha256] = self.decoder.submit(
                    each.content, self.programs, facts=True, later=each.row.priority > LIVE
                )
        facts, failed = self._collect(decoding)
        found = []
        first = set()
        for each in fetched:
            problem = failed.get(each.sha256)
            if isinstance(problem, RefusedError):
                self._refuse(each.row, each.head, problem, errors)
            elif problem is not None:
                errors[each.row.id] = problem
            else:
                fact = facts.get(each.sha256) if each.sha256 not in first else None
                first.add(each.sha256)
                found.append(_found(each, fact))
        self.ledger.found(found)

    def _collect(
        self, decoding: Mapping[str, Future[DecodedImage]]
    ) -> tuple[dict[str, ImageFacts], dict[str, NafudaError]]:
        """Wait for the decoders; thumbnails and inputs are put away before anybody hears of the image."""
        facts, failed, keeping = {}, {}, {}
        for sha256, future in decoding.items():
            try:
                decoded = future.result()
            except NafudaError as error:
                failed[sha256] = error
                continue
            assert decoded.facts is not None
            facts[sha256] = decoded.facts
            keeping[sha256] = self.several.begin(self._keep, (sha256, decoded.facts.thumbnail))
            pairs = zip(self.programs, decoded.inputs, strict=True)
            self.inputs.put(sha256, {program: Prepared(pixels, shape) for program, (pixels, shape) in pairs})
        for sha256, kept in keeping.items():
            try:
                kept.result()
            except NafudaError as error:
                failed[sha256] = error
                del facts[sha256]
        return facts, failed

    def _keep(self, thumbnail: tuple[str, bytes]) -> None:
        sha256, made = thumbnail
        keep(self.derived, THUMBNAILS, thumbnail_key(sha256), made)

    def _unread(self, row: ObjectRow, head: ObjectHead, error: NafudaError, errors: dict[int, NafudaError]) -> None:
        """What can never be read is refused, everything else is tried again."""
        if isinstance(error, PermanentError):
            self._refuse(row, head, error, errors)
        else:
            errors[row.id] = error

    def _refuse(self, row: ObjectRow, head: ObjectHead, error: PermanentError, errors: dict[int, NafudaError]) -> None:
        log.info("refused: %s", error, extra={"object": row.id, "key": row.key, "code": error.code})
        try:
            self.ledger.refused(row.id, row.checks, head, error.code, str(error))
        except NafudaError as unwritten:
            errors[row.id] = unwritten


def _look(looks: Looks, row: ObjectRow) -> Look | None:
    """What may well be as it was, or is a sidecar, is looked at without its bytes."""
    known = row.etag or row.key.endswith(sidecars.SUFFIX)
    return looks.head(row.bucket, row.key) if known else looks.look(row.bucket, row.key)


def _found(each: Fetched, facts: ImageFacts | None) -> Found:
    sidecar = sidecars.from_metadata(each.head.metadata)
    return Found(each.row.id, each.row.checks, each.head, each.sha256, facts, sidecar, each.row.priority)


def _nothing(row: ObjectRow) -> ObjectHead:
    """A head for an object that the store cannot even look at."""
    return ObjectHead(row.bucket, row.key, "", "", 0, datetime.now(UTC))
