"""A batch of documents on its way into any index."""

from collections.abc import Collection, Iterable, Sequence

from schemas.document import Document
from schemas.search import WriteOutcome


def newest_of_each(documents: Iterable[Document]) -> list[Document]:
    """The newest revision of each record (the last of equals), by record."""
    newest: dict[int, Document] = {}
    for document in documents:
        known = newest.get(document.record)
        if known is None or known.revision <= document.revision:
            newest[document.record] = document
    return [newest[record] for record in sorted(newest)]


def outcomes(documents: Sequence[Document], written: Collection[tuple[int, int]]) -> list[WriteOutcome]:
    """What became of each document, when these (record, revision) pairs were written."""
    return [
        WriteOutcome.WRITTEN if (document.record, document.revision) in written else WriteOutcome.STALE
        for document in documents
    ]
