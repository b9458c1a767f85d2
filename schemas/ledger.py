"""The ports to the records in Postgres: what is stored, what is still to be done, what was found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from schemas.events import ObjectEvent
from schemas.images import ImageFacts, ObjectHead, Sidecar
from schemas.record import Record
from schemas.results import Failure, ModelOutput, StageResult
from schemas.search.index import Viewer

LIVE, BACKFILL = 0, 1  # priorities: what somebody waits for, and what may wait


@dataclass(frozen=True, slots=True)
class Claim:
    """A piece of work that this process alone may do until it ends or dies.

    subject: an object's id for ingest, an image's for every other stage. model: 0 for ingest.
    deaths: earlier attempts that took their process with them: such work is done alone.
    """

    stage: str
    subject: int
    model: int
    attempts: int
    deaths: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """An object as the ledger knows it; `checks` counts the hints so far."""

    id: int
    bucket: str
    key: str
    version: str
    collection: int
    checks: int
    etag: str
    modified: datetime | None
    image: int | None
    state: str
    priority: int

    def unchanged(self, head: ObjectHead) -> bool:
        """True when the store still holds what the last look settled: nothing needs to be read."""
        settled = self.state in ("present", "sidecar", "refused")
        return settled and (head.etag, head.modified) == (self.etag, self.modified)


@dataclass(frozen=True, slots=True)
class ImageRow:
    """What a stage needs to fetch an image again: one current object that holds its bytes."""

    id: int
    sha256: str
    bucket: str
    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Found:
    """Ingest's finding about one object: the bytes' identity and facts. facts is None for known content."""

    object: int
    checks: int
    head: ObjectHead
    sha256: str
    facts: ImageFacts | None
    sidecar: Sidecar | None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class StageCount:
    """How much work of a stage is in a state. state: ready, waiting, claimed, failed, quarantined."""

    stage: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object, for a person who put it there."""

    bucket: str
    key: str
    record: int | None
    outcome: str  # complete, partial, known, refused, failed, pending
    reason: str


@dataclass(frozen=True, slots=True)
class RawResult:
    """One model's stored answer, with the labels spelled out."""

    stage: str
    model: str
    revision: str
    labels: tuple[str, ...]
    output: ModelOutput
    millis: float
    at: datetime


class WorkLedger(Protocol):
    """Work that is pending or failed. The state is here; a message is only a hint."""

    def claim(self, stages: Sequence[str], limit: int, latest: int = BACKFILL) -> list[Claim]:
        """Take up to `limit` subjects that are ready, live before backfill; attempts are committed before the work.

        latest: LIVE takes none that may wait.

        Work whose earlier attempt ended in process death is left to `claim_suspect`.
        """

    def claim_suspect(self, stages: Sequence[str]) -> list[Claim]:
        """Take one subject that a process died over; the caller works on nothing else meanwhile."""

    def fail(self, failures: Sequence[Failure]) -> set[str]:
        """Write down failures: transient ones get a later `next_attempt_at`, permanent ones stay as failed.

        Returns the stages that needed what failed for good and may start now, with MERGE if records are due.
        """

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Return claims unworked, without counting the attempt."""

    def leave(self) -> int:
        """Return everything that this worker claims, without counting attempts; from now on it claims nothing.

        Returns how much. What it still writes does no harm: results are the same whoever computed them, and a failure
        counts only for who holds the claim.
        """

    def announce(self, queue: str) -> bool:
        """True when a hint should be sent now: not enough of them are under way."""

    def taken(self, queue: str) -> None:
        """A hint arrived at a worker."""

    def beat(self) -> None:
        """Say that this worker is alive; its claims hold as long as it does."""

    def sweep(self, silent: timedelta, judge: Callable[[datetime], bool] = lambda now: True) -> int:
        """Free the claims of workers silent for so long, or whose place another took, as process deaths.

        judge: told the database's time, whether silence means death now; after an outage everybody was silent.
        Returns how many.
        """

    def let_go(self, after: int, limit: int) -> int:
        """Let go of what waits for stages that have ended, should whoever ended them not have done so.

        Looks at `limit` images at most, by id, from above `after`; returns where to go on, 0: at the beginning.
        """

    def recount(self) -> bool:
        """Have the database look again how much work there is, where it plans as for next to none; True if it did.

        The queue is empty as often as it is full, and statistics of the empty one make claims and results quadratic.
        """

    def overdue(self) -> list[str]:
        """Queues with ready work for which no hint was sent for a while; each is noted as hinted now."""

    def retry(self, stages: Sequence[str], subjects: Sequence[int]) -> int:
        """Make failed or quarantined work ready again; returns how much."""

    def counts(self) -> list[StageCount]:
        """Work by stage and state."""


class ObjectLedger(Protocol):
    """Objects and the images they hold."""

    def note(self, events: Sequence[ObjectEvent], priority: int = 0) -> int:
        """Write hints down: one more check for each object in a collection. Returns how many were taken in."""

    def objects(self, ids: Sequence[int]) -> list[ObjectRow]:
        """Rows by id."""

    def known(self, digests: Iterable[str]) -> dict[str, int]:
        """Which of these contents (SHA-256) are images already."""

    def found(self, found: Sequence[Found]) -> list[int]:
        """Link objects to images, make records and plan work; returns ids of images that have work to be done.

        An object whose checks moved on meanwhile is left as it was and is ready to be ingested again.
        """

    def unchanged(self, answers: Sequence[tuple[int, int]]) -> None:
        """(object, checks) whose store holds what it held at the last look."""

    def gone(self, object: int, checks: int) -> bool:
        """The object is not there any more. False when new hints came meanwhile."""

    def refused(self, object: int, checks: int, head: ObjectHead, code: str, reason: str) -> bool:
        """The object is not an acceptable image; it is kept with the reason. False as in `gone`."""

    def sidecar(self, object: int, checks: int, head: ObjectHead, sidecar: Sidecar) -> bool:
        """The object holds tags for the image of the same name. False as in `gone`."""

    def images(self, ids: Sequence[int]) -> list[ImageRow]:
        """Where to fetch these images; those without a current object are left out."""

    def outcomes(self, places: Iterable[tuple[str, str]]) -> list[Outcome]:
        """What became of these (bucket, key) objects."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Pictures that lack something, of those that were looked at. exact: that was all of them, no sample."""

    missing: int
    looked: int
    exact: bool


class ResultLedger(Protocol):
    """Raw results of models."""

    def store(self, results: Sequence[StageResult]) -> set[str]:
        """Bulk upsert, sorted by id; ends the work and marks the records to be merged, soon or, where nothing else is
        being worked on, at once.

        Returns the stages that waited for these results and may start now, with MERGE if records are due.
        """

    def needed(self, images: Sequence[int], models: Mapping[str, str]) -> Mapping[int, Mapping[str, ModelOutput]]:
        """What models said of images, by image and name, vectors included: for stages that need other stages' results.

        models: name → revision. What another revision of a name said is left out.
        """

    def unplaced(self, model: str, revision: str, viewer: Viewer) -> Gap:
        """How many of the pictures that a viewer may see have no vector of a model yet."""

    def of_image(self, image: int) -> list[RawResult]:
        """Everything that every model said."""

    def remove_model(self, model: str) -> int:
        """Remove one model's results and mark the records they touched; returns how many."""


class RecordLedger(Protocol):
    """Merged records."""

    def record(self, record: int) -> Record:
        """One record. NotFoundError when there is none."""

    def captions(self, records: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        """What captioners say of these records; those that are unknown or not published are left out."""

    def find(self, name: str) -> int:
        """A record by id, SHA-256 (or 8+ first digits), or key. NotFoundError or PermanentError when ambiguous."""

    def edit(self, record: int, person: str, tag: str, category: str, add: bool) -> None:
        """A person's word on a tag, which outranks every model's; marks the record to be merged."""

    def withdraw(self, record: int, tag: str) -> None:
        """Take back what people said of a tag: the models' word counts again; marks the record to be merged."""
