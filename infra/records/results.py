"""The result ledger on PostgreSQL: raw results in bulk, and the models that gave them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from infra.records.pool import Connection, Pool, Row, session, transaction
from infra.records.sql import statement
from infra.records.work import release, to_merge
from schemas.ledger import Gap, RawResult
from schemas.results import Floats, ModelOutput, StageResult
from schemas.search import Viewer


@dataclass(frozen=True, slots=True)
class PostgresResults:
    """`schemas.ledger.ResultLedger`."""

    pool: Pool

    def store(self, results: Sequence[StageResult]) -> set[str]:
        """All of a batch in one transaction: results in, work out, records marked, what waits let go; see the port."""
        if not results:
            return set()
        ordered = sorted(results, key=lambda each: (each.image, each.model))
        outputs = [each.output for each in ordered]
        keys = {
            "images": [each.image for each in ordered],
            "models": [each.model for each in ordered],
            "stages": [each.stage for each in ordered],
        }
        arrays = {
            "labels": [_literal(output.labels.tolist()) for output in outputs],
            "scores": [_literal(_short(output.scores)) for output in outputs],
            "boxes": [
                None if output.boxes is None else _literal(_short(output.boxes.ravel(), 2)) for output in outputs
            ],
            "texts": [None if output.texts is None else _json(output.texts) for output in outputs],
            "figures": [None if output.figures is None else _literal(output.figures.tolist()) for output in outputs],
            "millis": [each.millis for each in ordered],
            "batches": [each.batch for each in ordered],
        }
        with transaction(self.pool) as connection:
            connection.execute(statement("results", "store"), {**keys, **arrays})
            _store_vectors(connection, ordered)
            connection.execute(statement("results", "end_work"), keys)
            freed = release(connection, {each.image for each in ordered}, {each.stage for each in ordered})
            return freed | to_merge(connection, {each.image for each in ordered})

    def of_image(self, image: int) -> list[RawResult]:
        """Everything that every model said of one image."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("results", "of_image"), {"image": image}).fetchall()
        return [_raw(row) for row in rows]

    def needed(self, images: Sequence[int], models: Mapping[str, str]) -> dict[int, dict[str, ModelOutput]]:
        """What certain models, name → revision, said of images, by image and name; vectors come along."""
        answers: dict[int, dict[str, ModelOutput]] = {}
        values = {"images": list(images), "names": list(models), "revisions": list(models.values())}
        with session(self.pool) as connection:
            rows = connection.execute(statement("results", "needed"), values)
            for image, name, labels, scores, boxes, texts, figures, vector in rows:
                found = output_of(labels, scores, boxes, texts, figures)
                if vector is not None:
                    found = replace(found, vector=np.asarray(vector, np.float32))
                answers.setdefault(image, {})[name] = found
        return answers

    def unplaced(self, model: str, revision: str, viewer: Viewer) -> Gap:
        """How many pictures have no vector of a model yet, of all that the viewer may see or of a sample."""
        collections = None if viewer.collections is None else sorted(viewer.collections)
        values = {"model": model, "revision": revision, "held": viewer.sees_held, "collections": collections}
        with session(self.pool) as connection:
            row = connection.execute(statement("results", "unplaced"), values).fetchone()
        assert row is not None
        return Gap(int(row[1]), int(row[0]), bool(row[2]))

    def remove_model(self, model: str) -> int:
        """Take back everything that a model said and ask it no more; the records are merged without it."""
        with transaction(self.pool) as connection:
            connection.execute(statement("results", "drop_from_plans"), {"name": model})
            dropped = connection.execute(statement("results", "drop_work_of_model"), {"name": model}).fetchall()
            connection.execute(statement("results", "remove_vectors"), {"name": model})
            removed = connection.execute(statement("results", "remove_model"), {"name": model}).fetchall()
            images = sorted({int(row[0]) for row in (*dropped, *removed)})
            connection.execute(statement("work", "touch_failed"), {"images": images})
        return len(removed)


def output_of(
    labels: Sequence[int],
    scores: Sequence[float],
    boxes: Sequence[float] | None,
    texts: Sequence[str] | None = None,
    figures: Sequence[float] | None = None,
) -> ModelOutput:
    """The stored arrays as a `ModelOutput`, without its vector."""
    return ModelOutput(
        np.asarray(labels, np.int16),
        np.asarray(scores, np.float32),
        None if boxes is None else np.asarray(boxes, np.float32).reshape(-1, 4),
        None if texts is None else tuple(texts),
        None if figures is None else np.asarray(figures, np.float32),
    )


def _store_vectors(connection: Connection, ordered: Sequence[StageResult]) -> None:
    found = [(each, each.output.vector) for each in ordered]
    placed = [(each, vector) for each, vector in found if vector is not None]
    if placed:
        values = {
            "images": [each.image for each, _ in placed],
            "models": [each.model for each, _ in placed],
            "vectors": [_literal(vector.tolist()) for _, vector in placed],
        }
        connection.execute(statement("results", "store_vectors"), values)


def _json(texts: Sequence[str]) -> str:
    """A JSON list; PostgreSQL keeps no NUL."""
    return json.dumps([text.replace("\0", "") for text in texts])


def _literal(values: Sequence[float]) -> str:
    """A PostgreSQL array literal: unnest would flatten an array of arrays."""
    return "{" + ",".join(map(str, values)) + "}"


def _short(values: Floats, digits: int = 5) -> list[float]:
    """Five digits of a score and a hundredth of a pixel are more than any model means."""
    rounded: list[float] = np.round(values.astype(np.float64), digits).tolist()
    return rounded


def _raw(row: Row) -> RawResult:
    stage, model, revision, names, labels, scores, boxes, texts, figures, millis, at = row
    output = output_of(labels, scores, boxes, texts, figures)
    return RawResult(stage, model, revision, tuple(names[index] for index in labels), output, millis, at)
