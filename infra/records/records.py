"""The record ledger on PostgreSQL: published records, how to find one, and what people say of its tags."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from infra.records.pool import Pool, Row, session
from infra.records.results import output_of
from infra.records.rules import PostgresRules
from infra.records.sql import statement
from schemas.codec import record_from_json
from schemas.errors import NotFoundError, PermanentError
from schemas.merging import Rules
from schemas.pipeline import TAGGING
from schemas.record import DroppedTag, Record

_DIGEST = re.compile(r"^[0-9a-f]{8,64}$")


@dataclass(frozen=True, slots=True)
class PostgresRecords:
    """`schemas.ledger.RecordLedger`."""

    pool: Pool
    rules: PostgresRules

    def record(self, record: int) -> Record:
        """The record as it was published last, with the tags that stayed below their thresholds."""
        with session(self.pool) as connection:
            row = connection.execute(statement("records", "one"), {"id": record}).fetchone()
            if row is None or row[0] is None:
                raise NotFoundError(f"there is no record {record}, or it was not published yet")
            said = connection.execute(statement("records", "said"), {"images": [row[1]]}).fetchall()
        published = record_from_json(row[0])
        rules = self.rules.current()
        if any(each[1] not in rules.models for each in said):
            rules = self.rules.fresh()
        return replace(published, dropped=published.dropped + _below(published, said, rules))

    def captions(self, records: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        """The captions of published records, in one query."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("records", "captions"), {"ids": list(records)})
            return {int(record): tuple(said) for record, said in rows}

    def find(self, name: str) -> int:
        """A record by its id, by the SHA-256 of its bytes (8 digits or more), by key, or by bucket/key."""
        low = name.lower()
        with session(self.pool) as connection:
            if name.isdecimal() and len(name) < 19:
                row = connection.execute(statement("records", "one"), {"id": int(name)}).fetchone()
                if row is not None:
                    return int(name)
            rows: list[Row] = []
            if _DIGEST.match(low):
                digests = {"low": low, "high": low + "g"}
                rows = connection.execute(statement("records", "by_digest"), digests).fetchall()
            for bucket, key in (("", name), tuple(name.split("/", 1)) if "/" in name else ("", "")):
                if not rows and key:
                    place = {"bucket": bucket, "key": key}
                    rows = connection.execute(statement("records", "by_key"), place).fetchall()
        found = sorted({int(row[0]) for row in rows})
        if not found:
            raise NotFoundError(f"no image is known as {name!r}; give an id, a SHA-256 or a key")
        if len(found) > 1:
            raise PermanentError(f"{name!r} names several images ({found} …); give an id", code="ambiguous")
        return found[0]

    def edit(self, record: int, person: str, tag: str, category: str, add: bool) -> None:
        """A person's word on a tag outranks every model's from now on."""
        self._say(record, person, tag, category, "add" if add else "remove")

    def withdraw(self, record: int, tag: str) -> None:
        """The models' word counts again."""
        self._say(record, "", tag, "general", "clear")

    def summary(self) -> Mapping[str, int]:
        """Live records by status, and held and removed ones."""
        totals: dict[str, int] = {}
        with session(self.pool) as connection:
            for status, visibility, count in connection.execute(statement("records", "summary")):
                totals[status] = totals.get(status, 0) + count
                if visibility != "shown":
                    totals[visibility] = totals.get(visibility, 0) + count
        return totals

    def progress(self) -> tuple[int, int, int]:
        """(settled, of them refused, all) objects."""
        with session(self.pool) as connection:
            row = connection.execute(statement("records", "progress")).fetchone()
        return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)

    def _say(self, record: int, person: str, tag: str, category: str, action: str) -> None:
        values = {"record": record, "person": person, "tag": tag, "category": category, "action": action}
        with session(self.pool) as connection:
            if connection.execute(statement("records", "add_edit"), values).fetchone() is None:
                raise NotFoundError(f"there is no record {record}")


def _below(record: Record, said: list[Row], rules: Rules) -> tuple[DroppedTag, ...]:
    """Tags that a model said and that no source raised above its threshold: computed, never stored (R15)."""
    seen = {tag.name for tag in record.tags} | {tag.name for tag in record.dropped}
    below: dict[str, DroppedTag] = {}
    for _, model_id, _, labels, scores, boxes, *_ in said:
        model = rules.models[model_id]
        output = output_of(labels, scores, boxes)
        if model.stage != TAGGING:
            continue
        for index, score in zip(output.labels.tolist(), output.scores.tolist(), strict=True):
            label = model.labels[index]
            name = rules.vocabulary.aliases.get(label.name, label.name)
            if label.category == "rating" or name in seen or rules.holds(model, label, score):
                continue
            if name in below and (below[name].confidence or 0.0) >= score:
                continue
            needed = rules.threshold(model, label)
            detail = f"{score:.2f} is below the threshold {needed:.2f}"
            below[name] = DroppedTag(name, label.category, round(score, 4), model.name, "below-threshold", detail)
    return tuple(sorted(below.values(), key=lambda each: (-(each.confidence or 0.0), each.name)))
