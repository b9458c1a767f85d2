"""Documents: what a search index is told of a record."""

from schemas.document import Document, DocumentTag
from schemas.record import Record
from schemas.search import words


def _words(record: Record) -> set[str]:
    """Words of keys, captions, and what was read in the picture."""
    texts = [place.key for place in record.places]
    texts += [caption.text for caption in record.captions]
    texts += [reading.text for reading in record.readings]
    return {word for text in texts for word in words(text)}


def document_of(record: Record, *, phash: int) -> Document:
    """The projection of a published record; a tombstone when no object holds its bytes any more."""
    verdicts = [flag.verdict for flag in record.flags]
    waiting = tuple(sorted({flag.policy for flag in record.flags if not flag.verdict}))
    decided = "removed" if "remove" in verdicts else "kept" if "keep" in verdicts else ""
    return Document(
        record=record.id,
        revision=record.revision,
        deleted=not record.places,
        collection=record.collection,
        visibility=record.visibility,
        status=record.status,
        sha256=record.sha256,
        format=record.format,
        width=record.width,
        height=record.height,
        bytes=record.bytes,
        created_at=record.created_at,
        tags=tuple(
            DocumentTag(tag.name, tag.category, tag.confidence if tag.confidence is not None else 1.0)
            for tag in record.tags
        ),
        objects=tuple(sorted({detection.label for detection in record.detections})),
        people=record.people,
        rating=record.rating,
        colours=tuple(colour.name for colour in record.colours),
        words=tuple(sorted(_words(record))),
        flags=waiting,
        review="open" if waiting else decided,
        phash=phash,
    )
