"""The ledgers on one fresh database, with short ways to put facts into them, for the tests of several suites."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from infra.records.indexing import PostgresIndexing
from infra.records.merging import PostgresMerging
from infra.records.objects import PostgresObjects
from infra.records.pool import Pool, Row, session
from infra.records.records import PostgresRecords
from infra.records.results import PostgresResults
from infra.records.rules import PostgresRules
from infra.records.work import PostgresWork
from schemas.events import EventKind, ObjectEvent
from schemas.images import ImageFacts, ObjectHead, Sidecar
from schemas.ledger import Claim, Found, ObjectRow, Outcome
from schemas.merging import RegisteredModel
from schemas.models import Label
from schemas.pipeline import CAPTIONING, DETECTION, INGEST, TAGGING
from schemas.record import Record
from schemas.results import Failure, ModelOutput, StageResult
from workers.merging import merge

LABELS = (Label("sword", "general"), Label("cat", "general"), Label("miku", "character"), Label("safe", "rating"))
STAGES = (DETECTION, TAGGING)
# New records wait a little to be merged; locked in the order that everybody keeps.
_NOW = """UPDATE records r SET dirty_at = now() FROM (
    SELECT id FROM records WHERE dirty > merged AND dirty_at > now() ORDER BY image, collection FOR UPDATE SKIP LOCKED
) AS young WHERE r.id = young.id"""


def events(*keys: str, bucket: str = "images") -> list[ObjectEvent]:
    return [ObjectEvent(EventKind.CREATED, bucket, key) for key in keys]


def facts() -> ImageFacts:
    return ImageFacts("PNG", 8, 8, 1, 0, (), b"")


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def output(boxes: bool = False, **scores: float) -> ModelOutput:
    """What a model with LABELS says."""
    names = [label.name for label in LABELS]
    labels = np.array([names.index(name) for name in scores], np.int16)
    places = np.tile(np.array([1, 2, 3, 4], np.float32), (len(scores), 1)) if boxes else None
    return ModelOutput(labels, np.array(list(scores.values()), np.float32), places)


@dataclass
class Books:
    """One place to ask; `work` is a worker of that name."""

    pool: Pool
    models: list[int] = field(default_factory=list)

    @cached_property
    def objects(self) -> PostgresObjects:
        return PostgresObjects(self.pool)

    @cached_property
    def results(self) -> PostgresResults:
        return PostgresResults(self.pool)

    @cached_property
    def rules(self) -> PostgresRules:
        return PostgresRules(self.pool)

    @cached_property
    def merging(self) -> PostgresMerging:
        return PostgresMerging(self.pool)

    @property
    def indexing(self) -> PostgresIndexing:
        return PostgresIndexing(self.pool, "postgres")

    @cached_property
    def records(self) -> PostgresRecords:
        return PostgresRecords(self.pool, self.rules)

    def work(self, name: str = "host:vision:1") -> PostgresWork:
        worker = PostgresWork(self.pool, name)
        worker.beat()
        return worker

    def model(self, name: str, stage: str = TAGGING, revision: str = "r1", *, sample: bool = False) -> int:
        thresholds = {"*": 0.5, "character": 0.75}
        return self.rules.register(RegisteredModel(0, name, stage, revision, sample, LABELS, thresholds, 0.05))

    def collection(self, *models: int, name: str = "main", bucket: str = "images", prefix: str = "") -> int:
        """A collection whose plan asks these models."""
        number = self.rules.ensure_collection(name, bucket, prefix=prefix)
        self.rules.ensure_plan(number, models)
        return number

    def sql(self, text: str, *values: object) -> list[Row]:
        """A test's own query."""
        with session(self.pool) as connection:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def note(self, *keys: str, priority: int = 0) -> list[ObjectRow]:
        """Hint at keys; returns their rows in the same order."""
        self.objects.note(events(*keys), priority)
        return self.rows(*keys)

    def rows(self, *keys: str) -> list[ObjectRow]:
        ids = self.sql("SELECT id FROM objects")
        by_key = {row.key: row for row in self.objects.objects([row[0] for row in ids])}
        return [by_key[key] for key in keys]

    def found(self, row: ObjectRow, content: str, *, known: bool = False, sidecar: Sidecar | None = None) -> Found:
        """What ingest answers for a row whose bytes are this content."""
        return Found(row.id, row.checks, self.head(row.key, content), digest(content), None if known else facts(),
                     sidecar, row.priority)  # fmt: skip

    def head(self, key: str, content: str) -> ObjectHead:
        return ObjectHead("images", key, "", digest(content)[:32], len(content), datetime(2026, 1, 1, tzinfo=UTC))

    def put(self, key: str, content: str = "", *, priority: int = 0, sidecar: Sidecar | None = None) -> int:
        """An object with new or known content, ingested; returns the image's id."""
        (row,) = self.note(key, priority=priority)
        content = content or key
        known = bool(self.objects.known([digest(content)]))
        self.objects.found([self.found(row, content, known=known, sidecar=sidecar)])
        return self.objects.known([digest(content)])[digest(content)]

    def put_sidecar(self, key: str, *tags: str) -> None:
        (row,) = self.note(key)
        assert self.objects.sidecar(row.id, row.checks, self.head(key, "x"), Sidecar("file", tags))

    def delete(self, key: str) -> None:
        (row,) = self.note(key)
        assert self.objects.gone(row.id, row.checks)

    def say(self, model: int, *images: int, stage: str = TAGGING, **scores: float) -> None:
        """Store the same answer of a model for some images."""
        boxes = stage == DETECTION
        self.results.store([StageResult(image, model, stage, output(boxes, **scores), 1.5, 4) for image in images])

    def tell(self, model: int, image: int, caption: str) -> None:
        """Store a captioner's sentence."""
        told = ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), texts=(caption,))
        self.results.store([StageResult(image, model, CAPTIONING, told, 1.5)])

    def merge(self) -> list[Record]:
        """Merge everything that is dirty as the merge task does, without moderation; returns what changed."""
        self.sql(_NOW)
        with self.merging.dirty(1000) as this:
            rules = self.rules.at(this.connection)
            this.mark_live()
            return this.publish([merge(known, rules) for known in this.inputs], "postgres", (0, 0))

    def merged(self, key: str) -> Record:
        """The published record of a key's image, everything merged."""
        self.merge()
        return self.records.record(self.records.find(key))

    def outcome(self, key: str) -> Outcome:
        (outcome,) = self.objects.outcomes([("images", key)])
        return outcome

    def settled(self, key: str) -> str:
        """The outcome in a word once merging and the index had their turn."""
        self.merge()
        self.indexing.indexed(self.indexing.behind(1000))
        return self.outcome(key).outcome

    def dirty(self) -> list[int]:
        """Images whose records wait to be merged."""
        return [row[0] for row in self.sql("SELECT image FROM records WHERE dirty > merged ORDER BY image")]

    def due(self) -> None:
        """Let every pause be over."""
        self.sql("UPDATE work SET next_attempt_at = now() - interval '1 second' WHERE state = 'pending'")

    def states(self, stage: str) -> dict[int, tuple[str, str]]:
        """(state, reason) of a stage's work by subject."""
        rows = self.sql("SELECT subject, state, reason FROM work WHERE stage = %s", stage)
        return {row[0]: (row[1], row[2]) for row in rows}


def failure(claim: Claim, code: str = "transient", *, permanent: bool = False) -> Failure:
    return Failure(claim.stage, claim.subject, claim.model, code, f"it was {code}", permanent, claim.attempts)


def subjects(claims: Sequence[Claim]) -> list[int]:
    return [claim.subject for claim in claims]


__all__ = ["DETECTION", "INGEST", "STAGES", "TAGGING", "Books"]
