"""Merging's reading and writing on PostgreSQL: locks what is dirty, gathers all that is known, publishes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from infra.records.pool import Connection, Pool, Row, transaction
from infra.records.results import output_of
from infra.records.sql import statement
from schemas.codec import record_from_json, record_to_json
from schemas.images import Colour
from schemas.merging import Beside, Edit, ImageForm, MergeInput, Said, Unfinished
from schemas.record import Place, Record


@dataclass(frozen=True, slots=True)
class MergeRound:
    """One transaction of merging: what is to be merged, and the connection on which moderation writes its part."""

    connection: Connection
    inputs: tuple[MergeInput, ...]

    def mark_live(self) -> None:
        """Say first which records an object still links to: review reads it, and what is not live has no flags."""
        live = {"ids": [known.record for known in self.inputs], "live": [bool(known.places) for known in self.inputs]}
        self.connection.execute(statement("records", "mark_live"), live)

    def publish(self, records: Sequence[Record], backend: str, versions: tuple[int, int]) -> list[Record]:
        """Store the records (in the order of `inputs`); returns those that changed, with their new revisions.

        versions: of vocabulary and thresholds. What did not change keeps its revision and is not indexed again.
        """
        changed, rows = [], []
        for known, record in zip(self.inputs, records, strict=True):
            same = known.published is not None and record == known.published
            final = record if same else replace(record, revision=known.revision + 1)
            if not same:
                changed.append(final)
            rows.append((known.dirty, final))
        _publish(self.connection, rows, versions)
        if changed:
            ids = {"ids": [each.id for each in changed], "revisions": [each.revision for each in changed]}
            self.connection.execute(statement("indexing", "to_index"), {**ids, "backend": backend})
        return changed


@dataclass(frozen=True, slots=True)
class PostgresMerging:
    """Opens merge rounds."""

    pool: Pool

    @contextmanager
    def dirty(self, limit: int) -> Iterator[MergeRound]:
        """The longest waiting dirty records, locked; other mergers pass by them."""
        with transaction(self.pool) as connection:
            rows = connection.execute(statement("records", "lock_dirty"), {"limit": limit}).fetchall()
            yield MergeRound(connection, _gather(connection, rows))

    @contextmanager
    def these(self, records: Iterable[int]) -> Iterator[MergeRound]:
        """Certain records, to merge them now."""
        with transaction(self.pool) as connection:
            rows = connection.execute(statement("records", "lock_these"), {"ids": list(records)}).fetchall()
            yield MergeRound(connection, _gather(connection, rows))


def _publish(connection: Connection, rows: Sequence[tuple[int, Record]], versions: tuple[int, int]) -> None:
    # One JSON text: psycopg escapes lists of long texts element by element in Python, which cost a third of merging.
    columns = '{{"id":{},"dirty":{},"revision":{},"status":"{}","visibility":"{}","document":{}}}'
    written = ",".join(
        columns.format(record.id, dirty, record.revision, record.status, record.visibility, record_to_json(record))
        for dirty, record in rows
    )
    values = {"rows": f"[{written}]", "vocabulary": versions[0], "thresholds": versions[1]}
    connection.execute(statement("records", "publish"), values)


def _gather(connection: Connection, rows: Sequence[Row]) -> tuple[MergeInput, ...]:
    """Everything that is known about the locked records, with one query a kind of fact."""
    if not rows:
        return ()
    by_image = {"images": sorted({row[4] for row in rows})}
    forms = {row[0]: _form(row) for row in connection.execute(statement("records", "images"), by_image)}
    places = _grouped(connection.execute(statement("records", "places"), by_image), 2)
    beside = _grouped(connection.execute(statement("records", "beside"), by_image), 2)
    said = _grouped(connection.execute(statement("records", "said"), by_image), 1)
    pending = _grouped(connection.execute(statement("records", "pending"), by_image), 1)
    edits = _grouped(connection.execute(statement("records", "edits"), {"records": [row[0] for row in rows]}), 1)
    answers = {image: tuple(_said(row) for row in stored) for image, stored in said.items()}
    inputs = []
    for record, collection, name, hold, image, plan, models, dirty, revision, created_at, document in rows:
        known = MergeInput(
            record=record,
            collection=name,
            hold=hold,
            plan=plan,
            models=tuple(models),
            dirty=dirty,
            revision=revision,
            created_at=created_at,
            image=forms[image],
            places=tuple(Place(*row[3:]) for row in places[(collection, image)]),
            said=answers.get((image,), ()),
            unfinished=tuple(Unfinished(*row[1:]) for row in pending[(image,)]),
            edits=tuple(Edit(*row[1:]) for row in edits[(record,)]),
            beside=tuple(Beside(row[2], tuple(row[3])) for row in beside[(collection, image)]),
            published=None if document is None else record_from_json(document),
        )
        inputs.append(known)
    return tuple(inputs)


def _grouped(rows: Iterable[Row], width: int) -> dict[tuple[object, ...], list[Row]]:
    """Rows by their first `width` columns."""
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[:width]].append(row)
    return groups


def _said(row: Row) -> Said:
    _, model, _, labels, scores, boxes, texts, figures, millis, batch = row
    return Said(model, output_of(labels, scores, boxes, texts, figures), millis, batch)


def _form(row: Row) -> ImageForm:
    number, sha256, size, form, width, height, frames, phash, colours, notes = row
    named = tuple(Colour(name, _rgb(digits), share) for name, digits, share in colours)
    return ImageForm(number, sha256, size, form, width, height, frames, phash, named, tuple(notes))


def _rgb(digits: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(digits.removeprefix("#"))
    return red, green, blue
