"""Counting: what the bucket holds, what the records say and what the index finds must be the same."""

from dataclasses import dataclass

from infra.records.pool import session
from tasks.index import check_index
from tasks.services import Services
from tests.faults.uploads import Uploads

_PENDING = b"""
SELECT (SELECT count(*) FROM work WHERE state = 'pending') + (SELECT count(*) FROM records WHERE dirty > merged)
     + (SELECT count(*) FROM index_state WHERE revision > indexed)
     + (SELECT count(*) FROM objects WHERE checked < checks)
"""
_RECORDS = b"""
SELECT i.sha256 FROM images i JOIN records r ON r.image = i.id WHERE r.live AND r.status = 'complete'
"""
_PLAN = b"SELECT cardinality(models) FROM plans ORDER BY version DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Count:
    """uploaded, contents: what the store confirmed, by key and by bytes. lost: contents in the bucket that no complete
    record is for, or no document. doubled: rows and documents beyond one a content, results beyond one a model.
    repeated: results that were computed again, which costs time and changes nothing."""

    uploaded: int
    contents: int
    lost: int
    doubled: int
    pending: int
    failed: int
    repeated: int

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing doubled, nothing left over."""
        return not (self.lost or self.doubled or self.pending or self.failed)


def pending(services: Services, uploads: Uploads) -> int:
    """What is still to be done: work, merges, documents, and objects that nobody told us of."""
    waiting, known = _one(services, _PENDING), _one(services, b"SELECT count(*) FROM objects")
    return waiting + max(0, len(uploads.stored) - known)


def count(services: Services, uploads: Uploads) -> Count:
    """Compare the three. The bucket is listed; the index is compared revision by revision."""
    pages = uploads.s3.get_paginator("list_objects_v2").paginate(Bucket=uploads.bucket)
    keys = {each["Key"] for page in pages for each in page.get("Contents", [])}
    contents = {uploads.stored[key] for key in keys}
    with session(services.pool) as connection:
        records = [str(row[0]) for row in connection.execute(_RECORDS).fetchall()]
    differences = check_index(services)
    results, models = _one(services, b"SELECT count(*) FROM results"), _one(services, _PLAN)
    documents = services.index.count()
    unfound = len(uploads.stored) - len(keys)  # confirmed by the store, and not in it
    return Count(
        uploaded=len(uploads.stored),
        contents=len(contents),
        lost=unfound + len(contents - set(records)) + len(differences.missing),
        doubled=len(records) - len(set(records)) + len(differences.foreign) + max(0, documents - len(contents))
        + max(0, results - models * len(contents)),
        pending=pending(services, uploads),
        failed=_one(services, b"SELECT count(*) FROM work WHERE state <> 'pending'"),
        repeated=_one(services, b"SELECT coalesce(sum(computed - 1), 0) FROM results"),
    )  # fmt: skip


def _one(services: Services, query: bytes) -> int:
    with session(services.pool) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
