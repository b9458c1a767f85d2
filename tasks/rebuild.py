"""Making the search index anew while it is searched and written, and the way back (OpenSearch only)."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from schemas.document import Document
from schemas.errors import ConfigurationError, ConflictError, TransientError
from schemas.search import WriteOutcome
from tasks.index import Differences, compare, documents_of
from tasks.services import Services

if TYPE_CHECKING:
    from infra.search.opensearch import Edition, OpenSearchIndex

log = logging.getLogger(__name__)
Say = Callable[[str], None]
_TRIES = 5  # for documents that a busy node turned away


def rebuild(services: Services, say: Say) -> "Edition":
    """Fill a new edition, check it against the records, then search it. The one before stays written: the way back.

    From the moment it exists, live writes go to both. ConflictError when the new edition lacks something: then the old
    one is still searched, and the new one is dropped.
    """
    index = _opensearch(services)
    before = index.editions.read() or index.editions.ensure()
    others = [edition for edition in index.editions.all() if edition.name != before.name]
    index.editions.drop([edition.name for edition in others if not edition.filled])  # of rebuilds that were stopped
    made = index.editions.begin()
    say(f"filling {made.name}; searches still go to {before.name}")
    try:
        _fill(services, index.only(made), say)
        _check(compare(services, index.only(made)), made)
    except BaseException:
        index.editions.drop([made.name])
        raise
    index.editions.filled(made.name)
    index.editions.read_from(made.name)
    index.editions.drop([edition.name for edition in others])
    if before.shape != made.shape:  # its mapping takes our documents no more
        index.editions.leave(before.name)
        say(f"{before.name} is not kept up: its mapping is another; `nafuda index drop {before.name}` removes it")
    return made


def roll_back(services: Services, name: str = "") -> "Edition":
    """Search another written edition again, by default the newest. ConflictError when there is none."""
    index = _opensearch(services)
    others = [edition for edition in index.editions.all() if edition.written and edition.filled and not edition.read]
    wanted = [edition for edition in others if name in ("", edition.name)]
    if not wanted:
        known = ", ".join(edition.name for edition in others) or "none"
        raise ConflictError(f"there is no other edition to search{' called ' + name if name else ''}: {known}")
    index.editions.read_from(wanted[-1].name)
    return wanted[-1]


def editions(services: Services) -> "list[Edition]":
    """All editions, oldest first."""
    return _opensearch(services).editions.all()


def drop(services: Services, name: str) -> None:
    """Remove an edition that is not searched."""
    _opensearch(services).editions.drop([name])


def _fill(services: Services, index: "OpenSearchIndex", say: Say) -> None:
    done = 0
    for page in services.indexing.documents():
        documents = documents_of(services, page)
        for attempt in range(_TRIES):
            documents = _left(index, documents)
            if not documents:
                break
            time.sleep(2**attempt)
        else:
            raise TransientError(f"OpenSearch turned {len(documents)} documents away {_TRIES} times; try again later")
        done += len(page)
        say(f"{done:,} records")


def _left(index: "OpenSearchIndex", documents: list[Document]) -> list[Document]:
    """Write documents; returns those that were not taken now."""
    try:
        outcomes = index.write(documents, at_once=False)
    except TransientError as error:
        log.warning("%d documents wait: %s", len(documents), error)
        return documents
    return [each for each, out in zip(documents, outcomes, strict=True) if out is WriteOutcome.FAILED]


def _check(found: Differences, made: "Edition") -> None:
    if found.missing or found.foreign:
        raise ConflictError(
            f"{made.name} would lack {len(found.missing):,} of {found.compared:,} records, and hold "
            f"{len(found.foreign):,} that are none; the log says what was refused; the old edition is still searched"
        )


def _opensearch(services: Services) -> "OpenSearchIndex":
    index = services.opensearch
    if index is None:
        raise ConfigurationError(
            "search is on PostgreSQL and has one edition: say `nafuda index check --repair`, or set NAFUDA_SEARCH_URL"
        )
    return index
