"""Loads named queries: `-- name: xyz` starts one, the comment lines below it say what for and by which index."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import LiteralString

_NAME = re.compile(r"^-- name: ([a-z_0-9]+)\s*$", re.MULTILINE)


@cache
def load_queries(subject: str) -> Mapping[str, str]:
    """Queries of `schemas/sql/queries/<subject>.sql` by name."""
    text = (resources.files("schemas.sql") / "queries" / f"{subject}.sql").read_text("utf-8")
    parts = _NAME.split(text)[1:]
    queries = dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    if len(queries) * 2 != len(parts):
        raise ValueError(f"{subject}.sql names a query twice")
    return queries


def trusted(text: str) -> LiteralString:
    """Marks text as trusted SQL: it comes from `schemas/sql`, never from input."""
    return text


def statement(subject: str, name: str) -> LiteralString:
    """One named query."""
    return trusted(load_queries(subject)[name])
