"""The result ledger on PostgreSQL: raw results in bulk, and the models that gave them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infra.records.pool import Pool, Row, session, transaction
from infra.records.sql import statement
from schemas.ledger import RawResult
from schemas.results import Floats, ModelOutput, StageResult


@dataclass(frozen=True, slots=True)
class PostgresResults:
    """`schemas.ledger.ResultLedger`."""

    pool: Pool

    def store(self, results: Sequence[StageResult]) -> None:
        """All of a batch in one transaction: results in, work out, records marked."""
        if not results:
            return
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
            "millis": [each.millis for each in ordered],
            "batches": [each.batch for each in ordered],
        }
        with transaction(self.pool) as connection:
            connection.execute(statement("results", "store"), {**keys, **arrays})
            connection.execute(statement("results", "end_work"), keys)
            connection.execute(statement("work", "touch_failed"), {"images": sorted({each.image for each in ordered})})

    def of_image(self, image: int) -> list[RawResult]:
        """Everything that every model said of one image."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("results", "of_image"), {"image": image}).fetchall()
        return [_raw(row) for row in rows]

    def remove_model(self, model: str) -> int:
        """Take back everything that a model said and ask it no more; the records are merged without it."""
        with transaction(self.pool) as connection:
            connection.execute(statement("results", "drop_from_plans"), {"name": model})
            dropped = connection.execute(statement("results", "drop_work_of_model"), {"name": model}).fetchall()
            removed = connection.execute(statement("results", "remove_model"), {"name": model}).fetchall()
            images = sorted({int(row[0]) for row in (*dropped, *removed)})
            connection.execute(statement("work", "touch_failed"), {"images": images})
        return len(removed)


def output_of(labels: Sequence[int], scores: Sequence[float], boxes: Sequence[float] | None) -> ModelOutput:
    """The stored arrays as a `ModelOutput`."""
    places: Floats | None = None if boxes is None else np.asarray(boxes, np.float32).reshape(-1, 4)
    return ModelOutput(np.asarray(labels, np.int16), np.asarray(scores, np.float32), places)


def _literal(values: Sequence[float]) -> str:
    """A PostgreSQL array literal: unnest would flatten an array of arrays."""
    return "{" + ",".join(map(str, values)) + "}"


def _short(values: Floats, digits: int = 5) -> list[float]:
    """Five digits of a score and a hundredth of a pixel are more than any model means."""
    rounded: list[float] = np.round(values.astype(np.float64), digits).tolist()
    return rounded


def _raw(row: Row) -> RawResult:
    stage, model, revision, names, labels, scores, boxes, millis, at = row
    output = output_of(labels, scores, boxes)
    return RawResult(stage, model, revision, tuple(names[index] for index in labels), output, millis, at)
