"""Keeping editions up: what the searched one takes counts, one beside it may hold that up for a while."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from infra.search.opensearch.client import AWAY, Client
from infra.search.opensearch.editions import Edition, Editions
from infra.search.opensearch.writing import send
from schemas.document import Document
from schemas.errors import PermanentError, TransientError
from schemas.search import WriteOutcome

log = logging.getLogger(__name__)
_PATIENCE = timedelta(minutes=2)  # a shard is back by then after its node began anew
Found = dict[int, WriteOutcome]


@dataclass(slots=True)
class Keeper:
    """Writes to every written edition. again: a revision that one holds is written to it once more."""

    client: Client
    editions: Editions
    again: bool = True
    _failing: dict[str, float] = field(default_factory=dict)  # since when, while the searched one took documents

    def write(self, written: Sequence[Edition], documents: Sequence[Document]) -> Found:
        """What became of each record. TransientError when nobody answers, or none is taken."""
        searched, *others = sorted(written, key=lambda edition: not edition.read)
        try:
            found, reason = send(self.client, searched, documents, again=self.again)
            _some_taken(found, f"OpenSearch turned all of {len(found)} documents away: {reason}")
        except TransientError:
            self._failing.clear()  # the server's trouble is not theirs
            raise
        for other in others:
            found = self._beside(searched, other, documents, found)
        return found

    def well(self, edition: Edition) -> bool:
        """Whether it took the documents that it was last sent."""
        return edition.name not in self._failing

    def _beside(self, searched: Edition, other: Edition, documents: Sequence[Document], found: Found) -> Found:
        """Send to an edition that is not searched. What it lacks waits, until it is given up.

        It is given up and not passed over: as long as it is written, searches may move to it.
        """
        try:
            held, reason = send(self.client, other, documents, again=self.again)
        except (TransientError, PermanentError) as error:
            held, reason = dict.fromkeys(found, WriteOutcome.FAILED), str(error)
        lacks = [record for record, outcome in held.items() if outcome is WriteOutcome.FAILED]
        if not lacks:
            self._failing.pop(other.name, None)
            return found
        now = time.monotonic()
        since = self._failing.setdefault(other.name, now)
        if now - since >= _PATIENCE.total_seconds() and self.editions.give_up(other.name, searched.name):
            log.error(
                "%s, which is not searched, turns documents away: it is written no more, and searches cannot go back to"
                " it; `nafuda index drop %s` removes it, `nafuda index rebuild` makes another beside: %s",
                other.name,
                other.name,
                reason,
            )
            return found
        found = {**found, **dict.fromkeys(lacks, WriteOutcome.FAILED)}
        _some_taken(found, f"{other.name}, which is not searched, turned all of {len(found)} documents away: {reason}")
        return found


def _some_taken(found: Found, otherwise: str) -> None:
    if found and set(found.values()) == {WriteOutcome.FAILED}:
        remedy = "it has too much to do, or its disk is nearly full"
        raise TransientError(f"{otherwise}; {remedy}", code=AWAY)
