"""Reading label lists from text: the WD taggers' CSV, a JSON list, and `names` in a graph's metadata."""

import ast
import csv
import io
import json
from collections.abc import Iterable

from schemas.errors import ManifestError
from schemas.models import Label

MOST = 32_767  # results store a label as int16

# Categories of selected_tags.csv: the WD taggers use 9, 0 and 4; Camie-style files the others too.
CATEGORIES = {
    "0": "general",
    "1": "artist",
    "3": "copyright",
    "4": "character",
    "5": "meta",
    "9": "rating",
    "10": "year",
}


def from_csv(text: str, document: str) -> tuple[Label, ...]:
    """Labels of a CSV with the columns name and category (a number of CATEGORIES), in the file's order."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not {"name", "category"} <= set(rows.fieldnames or ()):
        raise ManifestError(f"{document}: expected the columns tag_id,name,category,count, got {rows.fieldnames}")
    labels = []
    for row in rows:
        name, category = row["name"], CATEGORIES.get(row["category"] or "")
        if not name or category is None:
            raise ManifestError(
                f"{document}, line {rows.line_num}: expected a name and a category out of "
                f"{', '.join(CATEGORIES)}, got {name!r}, {row['category']!r}"
            )
        labels.append(Label(name, category))
    return _checked(labels, document)


def from_json(text: str, document: str, category: str) -> tuple[Label, ...]:
    """Labels of a JSON list of names, or of an object's list `labels`, all of one category."""
    try:
        names = json.loads(text)
    except ValueError as error:
        raise ManifestError(f"{document}: not JSON: {error}") from error
    if isinstance(names, dict):
        names = names.get("labels")
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ManifestError(f"{document}: expected a JSON list of names, got {type(names).__name__}")
    return _checked((Label(name, category) for name in names), document)


def from_names(text: str | None, document: str, category: str) -> tuple[Label, ...]:
    """Labels of a graph's metadata `names`: a Python literal {0: "face", 1: …} or a list; never evaluated."""
    if text is None:
        raise ManifestError(f"{document}: no `names` in the graph's metadata; set labels.source to csv or json")
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ManifestError(f"{document}: the metadata `names` is not a literal: {text[:80]!r}") from error
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise ManifestError(f"{document}: the metadata `names` has not the keys 0..{len(names) - 1}")
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
        raise ManifestError(f"{document}: the metadata `names` is not a list of names: {text[:80]!r}")
    return _checked((Label(name, category) for name in names), document)


def _checked(labels: Iterable[Label], document: str) -> tuple[Label, ...]:
    found = tuple(labels)
    if not 0 < len(found) <= MOST:
        raise ManifestError(f"{document}: expected 1..{MOST} labels, got {len(found)}")
    if any(not label.name for label in found):
        raise ManifestError(f"{document}: a label has no name")
    if len(set(found)) != len(found):
        twice = next(label for n, label in enumerate(found) if label in found[:n])
        raise ManifestError(f"{document}: the label {twice.name!r} is listed twice in category {twice.category!r}")
    return found
