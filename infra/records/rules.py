"""Collections, plans, registered models and the versioned rules in force, on PostgreSQL."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from psycopg.errors import UniqueViolation

from infra.records.pool import Connection, Pool, long_transaction, session, transaction
from infra.records.sql import statement
from schemas.errors import ConflictError
from schemas.merging import RegisteredModel, Rules
from schemas.models import Label
from schemas.policies import policies_document, read_policies
from schemas.rules import Policies, Policy, RuleKind, Thresholds, Vocabulary
from schemas.scores import Scoring
from schemas.scoring import read_scoring, scoring_document

_FRESH = timedelta(seconds=2)  # a new version is in force everywhere after so long


@dataclass(slots=True)
class PostgresRules:
    """Reads the rules in force, for a moment from memory; writes new versions and marks what they touch."""

    pool: Pool
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: Rules | None = None
    _until: float = 0.0

    def current(self) -> Rules:
        """The rules in force, at most two seconds old."""
        with self._lock:
            if self._kept is None or time.monotonic() > self._until:
                with session(self.pool) as connection:
                    self._kept = _read(connection)
                self._until = time.monotonic() + _FRESH.total_seconds()
            return self._kept

    def fresh(self) -> Rules:
        """The rules in force now."""
        with self._lock:
            self._until = 0.0
        return self.current()

    def at(self, connection: Connection) -> Rules:
        """The rules in force as this transaction sees them: what it marks as merged is not merged by older ones."""
        rows = connection.execute(statement("rules", "versions")).fetchall()
        with self._lock:
            kept = self._kept
        if kept is not None and all(_version(kept, kind) == version for kind, version in rows):
            return kept
        rules = _read(connection)
        with self._lock:
            self._kept = rules
        return rules

    def register(self, model: RegisteredModel) -> int:
        """Make a model's revision known; returns its id."""
        values = {
            "name": model.name,
            "stage": model.stage,
            "revision": model.revision,
            "sample": model.sample,
            "labels": [label.name for label in model.labels],
            "categories": [label.category for label in model.labels],
            "thresholds": json.dumps(dict(model.thresholds)),
            "floor": model.floor,
        }
        with session(self.pool) as connection:
            row = connection.execute(statement("results", "register"), values).fetchone()
        assert row is not None
        return int(row[0])

    def models(self) -> Mapping[int, RegisteredModel]:
        """Every registered revision by id."""
        return self.fresh().models

    def ensure_collection(self, name: str, bucket: str, *, prefix: str = "", hold: bool = False) -> int:
        """A collection over a bucket or prefix; returns its id."""
        source = {"bucket": bucket, "prefix": prefix, "suffixes": []}
        with transaction(self.pool) as connection:
            row = connection.execute(statement("rules", "ensure_collection"), {"name": name, "hold": hold}).fetchone()
            assert row is not None
            connection.execute(statement("rules", "ensure_source"), {**source, "collection": row[0]})
        return int(row[0])

    def collections(self) -> list[tuple[int, str, bool]]:
        """(id, name, whether images are held until cleared)."""
        with session(self.pool) as connection:
            return [(int(a), str(b), bool(c)) for a, b, c in connection.execute(statement("rules", "collections"))]

    def ensure_plan(self, collection: int, models: Sequence[int]) -> int:
        """The plan in force for a collection: a new version only when the models differ."""
        wanted = sorted(models)
        with transaction(self.pool) as connection:
            row = connection.execute(statement("rules", "plan"), {"collection": collection}).fetchone()
            if row is None or sorted(row[1]) != wanted:
                values = {"collection": collection, "models": wanted}
                row = connection.execute(statement("rules", "add_plan"), values).fetchone()
        assert row is not None
        return int(row[0])

    def plan(self, collection: int) -> tuple[int, ...]:
        """The models that are asked about a collection's new images; () without a plan."""
        with session(self.pool) as connection:
            row = connection.execute(statement("rules", "plan"), {"collection": collection}).fetchone()
        return tuple(row[1]) if row else ()

    def set_vocabulary(self, vocabulary: Vocabulary, by: str) -> int:
        """A new version; every record is merged again."""
        document = {
            "aliases": dict(vocabulary.aliases),
            "implications": {name: list(to) for name, to in vocabulary.implications.items()},
            "exclusive": [sorted(group) for group in vocabulary.exclusive],
        }
        return self._add(RuleKind.VOCABULARY, document, by)

    def set_policies(self, policies: Sequence[Policy], by: str) -> int:
        """A new version; every record is looked at again."""
        return self._add(RuleKind.POLICIES, policies_document(policies), by)

    def set_scoring(self, scoring: Scoring, by: str) -> int:
        """A new version; every record's ladder, class and market scores are made again."""
        return self._add(RuleKind.SCORING, scoring_document(scoring), by)

    def set_thresholds(self, values: Mapping[str, float], by: str) -> int:
        """A new version; only images that were scored between the old and the new thresholds are merged again."""
        before = self.fresh()
        with long_transaction(self.pool) as connection:
            connection.execute(statement("rules", "take_time"))
            version = _insert(connection, RuleKind.THRESHOLDS, dict(values), by)
            after = replace(before, thresholds=Thresholds(version, values))
            for model in before.models.values():
                for (low, high), labels in _moved(model, before, after).items():
                    bounds = {"model": model.id, "labels": labels, "low": low, "high": high}
                    connection.execute(statement("results", "touch_threshold"), bounds)
        self.fresh()
        return version

    def _add(self, kind: RuleKind, document: object, by: str) -> int:
        with long_transaction(self.pool) as connection:
            connection.execute(statement("rules", "take_time"))
            version = _insert(connection, kind, document, by)
            connection.execute(statement("records", "touch_all"))
        self.fresh()
        return version


def _version(rules: Rules, kind: str) -> int:
    versions = {
        RuleKind.VOCABULARY: rules.vocabulary.version,
        RuleKind.THRESHOLDS: rules.thresholds.version,
        RuleKind.POLICIES: rules.policies.version,
        RuleKind.SCORING: rules.scoring.version,
    }
    return versions[RuleKind(kind)]


def _insert(connection: Connection, kind: RuleKind, document: object, by: str) -> int:
    values = {"kind": kind.value, "document": json.dumps(document), "by": by}
    try:
        row = connection.execute(statement("rules", "add_version"), values).fetchone()
    except UniqueViolation as error:
        raise ConflictError(f"somebody else made a new version of the {kind} at the same moment; try again") from error
    assert row is not None
    return int(row[0])


def _moved(model: RegisteredModel, before: Rules, after: Rules) -> dict[tuple[float, float], list[int]]:
    """Label positions by the interval over which their threshold moved."""
    moved: dict[tuple[float, float], list[int]] = {}
    for index, label in enumerate(model.labels):
        old, new = before.threshold(model, label), after.threshold(model, label)
        if old != new:
            moved.setdefault((min(old, new), max(old, new)), []).append(index)
    return moved


def _read(connection: Connection) -> Rules:
    latest = {kind: (version, doc) for kind, version, doc in connection.execute(statement("rules", "latest"))}
    models = {}
    for row in connection.execute(statement("results", "models")):
        number, name, stage, revision, sample, labels, categories, thresholds, floor = row
        pairs = tuple(Label(label, category) for label, category in zip(labels, categories, strict=True))
        models[number] = RegisteredModel(number, name, stage, revision, sample, pairs, thresholds, round(floor, 4))
    vocabulary, thresholds, policies = Vocabulary(), Thresholds(), Policies()
    if RuleKind.VOCABULARY in latest:
        version, doc = latest[RuleKind.VOCABULARY]
        implications = {name: tuple(to) for name, to in doc["implications"].items()}
        exclusive = tuple(frozenset(group) for group in doc["exclusive"])
        vocabulary = Vocabulary(version, doc["aliases"], implications, exclusive)
    if RuleKind.THRESHOLDS in latest:
        thresholds = Thresholds(*latest[RuleKind.THRESHOLDS])
    if RuleKind.POLICIES in latest:
        version, doc = latest[RuleKind.POLICIES]
        policies = Policies(version, read_policies(doc, f"policies version {version}"))
    scoring = Scoring()
    if RuleKind.SCORING in latest:
        version, doc = latest[RuleKind.SCORING]
        scoring = replace(read_scoring(doc, f"scoring version {version}"), version=version)
    return Rules(vocabulary, thresholds, policies, models, scoring)
