"""From documents to the arrays of one batch write; names become dictionary ids."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.document import Document
from schemas.record import Visibility
from schemas.search import fold, per_mille
from schemas.search.facets import form_values

Name = tuple[str, str]
"""A (field, name) of the dictionary."""


@dataclass(frozen=True, slots=True)
class Named:
    """A document with the names that it is found and counted by; tags with their confidence per mille."""

    document: Document
    tags: Mapping[Name, int]
    others: Sequence[Name]


def named(document: Document) -> Named:
    """Collect a document's names; a tombstone has none."""
    if document.deleted:
        return Named(document, {}, ())
    tags: dict[Name, int] = {}
    for tag in document.tags:
        name = ("tag:" + fold(tag.category), fold(tag.name))
        tags[name] = max(tags.get(name, 0), per_mille(tag.confidence))
    categories = sorted({field.removeprefix("tag:") for field, _ in tags})
    return Named(document, tags, [*form_values(document), *(("in", category) for category in categories)])


def all_names(batch: Iterable[Named]) -> set[Name]:
    """Every name that a batch needs an id for."""
    names: set[Name] = set()
    for one in batch:
        names.add(("collection", fold(one.document.collection)))
        names.update(one.tags, one.others)
    return names


def columns(batch: Sequence[Named], ids: Mapping[Name, int]) -> dict[str, list[object]]:
    """The batch as one list a column of the `write` query; a tombstone keeps nothing."""
    rows = [_row(one, ids) if not one.document.deleted else _tombstone(one.document) for one in batch]
    table = {name: [row[name] for row in rows] for name in rows[0]}
    table["collection"] = [ids["collection", fold(one.document.collection)] for one in batch]
    return table


def _row(one: Named, ids: Mapping[Name, int]) -> dict[str, object]:
    document = one.document
    terms = [ids[name] for name in (*one.tags, *one.others)]
    return {
        "record": document.record,
        "revision": document.revision,
        "created_at": document.created_at,
        "bytes": document.bytes,
        "width": document.width,
        "height": document.height,
        "people": document.people,
        "deleted": False,
        "shown": document.visibility is Visibility.SHOWN,
        "visibility": str(document.visibility),
        "status": str(document.status),
        "rating": None if document.rating is None else fold(document.rating),
        "format": fold(document.format),
        "sha256": document.sha256.lower(),
        "terms": _literal(terms),
        "packed": pack(terms),
        "confidences": _literal(one.tags.values()),
        "words": " ".join(dict.fromkeys(" ".join(document.words).split())),
    }


def _tombstone(document: Document) -> dict[str, object]:
    return {
        "record": document.record,
        "revision": document.revision,
        "created_at": document.created_at,
        "bytes": 0,
        "width": 0,
        "height": 0,
        "people": None,
        "deleted": True,
        "shown": False,
        "visibility": "",
        "status": "",
        "rating": None,
        "format": "",
        "sha256": "",
        "terms": "{}",
        "packed": b"",
        "confidences": "{}",
        "words": "",
    }


def pack(terms: Sequence[int]) -> bytes:
    """Ids as four bytes each, low first."""
    return np.asarray(terms, "<i4").tobytes()


def _literal(numbers: Iterable[int]) -> str:
    """An array's literal: arrays of unequal length cannot be nested in a parameter."""
    return "{" + ",".join(map(str, numbers)) + "}"
