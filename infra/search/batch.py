"""A batch of documents on its way into any index."""

from collections.abc import Iterable, Mapping, Sequence

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


def outcomes(
    documents: Sequence[Document], newest: Iterable[Document], found: Mapping[int, WriteOutcome]
) -> list[WriteOutcome]:
    """What became of each document, when `newest` were sent and this became of their records."""
    revisions = {document.record: document.revision for document in newest}
    return [
        found[document.record] if revisions[document.record] == document.revision else WriteOutcome.STALE
        for document in documents
    ]
