"""Keeping the search index up to what is published: writing what it has not got, checking it, making it anew."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from infra.records.indexing import Behind, Due
from schemas.document import Document
from schemas.errors import TransientError
from schemas.record import Record
from schemas.search import SearchIndex, WriteOutcome
from tasks.services import Services
from workers.merging import document_of

log = logging.getLogger(__name__)
ROUND = 200
_PAGE = 5_000
_FEW = 1_000  # differences that are looked at twice; so many more are no accident


def index_behind(services: Services, *, now: bool = False) -> int:
    """Write what the index has not got yet; returns how many documents it took. An index that is away is left alone.

    now: searches see them when this returns, and an index that was away is tried all the same.
    """
    if services.index_outage.paused() and not now:
        return 0
    with services.index_turn:  # or rounds at the same time write the same documents
        behind = services.indexing.behind(ROUND)
        # A whole round means that more is waiting: then the index may show it when that is cheapest.
        return _write(services, behind, at_once=now or len(behind) < ROUND)


def index_these(services: Services, records: Sequence[int]) -> None:
    """Write certain records, as far as the index lacks them: searches see them when this returns."""
    _write(services, services.indexing.behind_of(records), at_once=True)


def _write(services: Services, behind: Sequence[Behind], *, at_once: bool) -> int:
    if not behind:
        return 0
    try:
        documents = documents_of(services, [(each.record, each.phash) for each in behind])
        outcomes = services.index.write(documents, at_once=at_once)
    except TransientError as error:
        services.index_outage.began(error)
        return 0
    services.index_outage.over()
    taken = [each for each, outcome in zip(behind, outcomes, strict=True) if outcome is not WriteOutcome.FAILED]
    if erased := services.indexing.indexed(taken):
        services.index.forget(erased)  # should this fail, or end here, the sweeper does it: see `forget_erased`
    return len(taken)


def documents_of(services: Services, records: Sequence[tuple[Record, int]]) -> list[Document]:
    """Records with their perceptual hashes as documents, with vectors for an index that searches them itself."""
    documents = [document_of(record, phash=phash) for record, phash in records]
    if services.opensearch is None:
        return documents
    known = services.indexing.vectors([record.image for record, _ in records])
    return [
        replace(document, vectors=known.get(record.image, ()))
        for document, (record, _) in zip(documents, records, strict=True)
    ]


def prepare_index(services: Services) -> int:
    """Make the index where there is none, and give it everything; returns how many records it has to be given.

    An index that has no room for vectors that are there is given everything, too: documents were written without them.
    """
    empty = services.index.prepare()
    if not (_room_made(services) or empty):
        return 0
    count = services.indexing.adopt(anew=True)
    services.index.filled()
    log.info("the search index is new, or new vectors came: it is given %d records", count)
    return count


def _room_made(services: Services) -> bool:
    """Make room for vectors that the index has none for; PostgreSQL searches them beside its tables."""
    if services.opensearch is None:
        return False
    read = services.opensearch.editions.ensure()
    lacking = [(space, width) for space, width in services.indexing.spaces() if space not in read.spaces]
    for space, width in lacking:
        services.similar.open_space(space, width)
    return bool(lacking) and read.vectors


@dataclass(frozen=True, slots=True)
class Differences:
    """Records of which index and records disagree. compared: records that were looked at.

    missing: the index has none, or an older revision, and nobody was going to write it. foreign: the index has a newer
    revision, or a record that does not exist: records came from a backup, or another Nafuda writes to the index.
    """

    compared: int
    missing: tuple[int, ...]
    foreign: tuple[int, ...]


def check_index(services: Services, *, repair: bool = False) -> Differences:
    """Compare the index with the records, one revision after another, in bounded memory but for what differs.

    repair: what is missing is written again, what is foreign is removed and, where its record exists, written again.
    """
    found = compare(services, services.index)
    if repair and (found.missing or found.foreign):
        if found.foreign:
            services.index.forget(found.foreign)
        services.indexing.again([*found.missing, *found.foreign])
        while index_behind(services, now=True) == ROUND:
            pass
    return found


def compare(services: Services, index: SearchIndex) -> Differences:
    """What differs between an index and the records and is not on its way.

    A page of the index is read before the records of its range: what it holds was published before it was written, so
    a newer revision than the record's is never one that was only just written.
    """
    missing: list[int] = []
    foreign: list[int] = []
    compared, after, more = 0, 0, True
    while more:
        page = index.revisions(after, _PAGE)
        more, held = len(page) == _PAGE, dict(page)
        last = page[-1][0] if more else None
        for due in services.indexing.due(after, last):
            compared += 1
            has = held.pop(due.record, None)
            if has is not None and has > due.revision:
                foreign.append(due.record)
            elif _lacks(due, has):
                missing.append(due.record)
        foreign += held
        after = last or 0
    if len(missing) <= _FEW:
        missing = [record for record in missing if _still_missing(services, index, record)]
    return Differences(compared, tuple(missing), tuple(foreign))


def _lacks(due: Due, has: int | None) -> bool:
    """A tombstone may have been purged; what waits is on its way."""
    return has != due.revision and not due.waits and (due.live or has is not None)


def _still_missing(services: Services, index: SearchIndex, record: int) -> bool:
    """Looked at once more: it may have been written between the two looks before."""
    held = dict(index.revisions(record - 1, 1))
    return any(_lacks(due, held.get(record)) for due in services.indexing.due(record - 1, record))
