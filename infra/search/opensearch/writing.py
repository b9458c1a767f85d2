"""Sending documents: bulks bounded in number and bytes, an answer for each document, to every written edition."""

import logging
from collections.abc import Iterator, Mapping, Sequence

from opensearchpy.helpers import streaming_bulk

from infra.search.opensearch.client import AWAY, Client, errors
from infra.search.opensearch.documents import source
from infra.search.opensearch.editions import Edition
from schemas.document import Document
from schemas.errors import TransientError
from schemas.search import WriteOutcome

log = logging.getLogger(__name__)
_MOST = 500  # documents in a request
_MOST_BYTES = 5 * 2**20
_TRIES = 2  # more, for what a busy node turned away
_STALE = 409
_LATER = frozenset({404, 408, 429, 500, 502, 503, 504})
_WORSE = (WriteOutcome.WRITTEN, WriteOutcome.STALE, WriteOutcome.REFUSED, WriteOutcome.FAILED)


def send(
    client: Client, editions: Sequence[Edition], documents: Sequence[Document], *, again: bool = True
) -> dict[int, WriteOutcome]:
    """What became of each record, the worst of all editions. TransientError when nobody answers, or none is taken.

    again: a revision that an edition holds is written once more.
    """
    found: dict[int, WriteOutcome] = {}
    reason: object = ""
    with errors("writing documents"):
        for taken, answers in streaming_bulk(
            client,
            _actions(editions, documents, "external_gte" if again else "external"),
            chunk_size=_MOST,
            max_chunk_bytes=_MOST_BYTES,
            max_retries=_TRIES,
            initial_backoff=1,
            raise_on_error=False,
            raise_on_exception=True,
            require_alias=True,
        ):
            (answer,) = answers.values()
            record, outcome = int(answer["_id"]), WriteOutcome.WRITTEN if taken else _outcome(answer)
            found[record] = max(found.get(record, outcome), outcome, key=_WORSE.index)
            reason = answer["error"] if outcome is WriteOutcome.FAILED else reason
    if found and set(found.values()) == {WriteOutcome.FAILED}:
        remedy = "it has too much to do, or its disk is nearly full"
        raise TransientError(f"OpenSearch turned all of {len(found)} documents away: {reason}; {remedy}", code=AWAY)
    return found


def _actions(
    editions: Sequence[Edition], documents: Sequence[Document], versions: str
) -> Iterator[Mapping[str, object]]:
    for document in documents:
        for edition in editions:
            yield {
                "_op_type": "index",
                "_index": edition.target,
                "_id": str(document.record),
                "version": document.revision,
                "version_type": versions,
                "_source": source(document, edition.spaces),
            }


def _outcome(answer: Mapping[str, object]) -> WriteOutcome:
    if answer["status"] == _STALE:
        return WriteOutcome.STALE
    if answer["status"] in _LATER:
        return WriteOutcome.FAILED
    log.error("the search index refuses record %s: %s", answer["_id"], answer.get("error"))
    return WriteOutcome.REFUSED
