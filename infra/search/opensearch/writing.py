"""Sending documents to an edition: bulks bounded in number and bytes, an answer for each document."""

import logging
from collections.abc import Iterator, Mapping, Sequence

from opensearchpy.helpers import streaming_bulk

from infra.search.opensearch.client import Client, errors
from infra.search.opensearch.documents import source
from infra.search.opensearch.editions import Edition
from schemas.document import Document
from schemas.search import WriteOutcome

log = logging.getLogger(__name__)
_MOST = 500  # documents in a request
_MOST_BYTES = 5 * 2**20
_TRIES = 2  # more, for what a busy node turned away
_STALE = 409
_LATER = frozenset({404, 408, 429, 500, 502, 503, 504})


def send(
    client: Client, edition: Edition, documents: Sequence[Document], *, again: bool = True
) -> tuple[dict[int, WriteOutcome], str]:
    """What became of each record, and why the last of those failed that did. TransientError when nobody answers.

    again: a revision that the edition holds is written once more.
    """
    found: dict[int, WriteOutcome] = {}
    reason = ""
    limit = float(client.transport.kwargs["timeout"])
    with errors(f"writing documents to {edition.name}"):
        for taken, answers in streaming_bulk(
            client,
            _actions(edition, documents, "external_gte" if again else "external"),
            chunk_size=_MOST,
            max_chunk_bytes=_MOST_BYTES,
            max_retries=_TRIES,
            initial_backoff=1,
            raise_on_error=False,
            raise_on_exception=True,
            require_alias=True,
            request_timeout=limit,  # said, or the client takes the next for its own
            timeout=f"{limit * 500:.0f}ms",  # for a shard that is not there; a request that ends first fails for all
        ):
            (answer,) = answers.values()
            outcome = WriteOutcome.WRITTEN if taken else _outcome(answer)
            found[int(answer["_id"])] = outcome
            reason = str(answer["error"]) if outcome is WriteOutcome.FAILED else reason
    return found, reason


def _actions(edition: Edition, documents: Sequence[Document], versions: str) -> Iterator[Mapping[str, object]]:
    for document in documents:
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
