"""The shape of an index: strict, one field a facet, whole numbers in the units of `schemas.search.fields`."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from schemas.search import EXCLUSIVE, SHARED, TAG_CATEGORIES

Body = Mapping[str, object]
_KEYWORD: Body = {"type": "keyword"}
_SOUGHT: Body = {"type": "keyword", "doc_values": False}  # searched, never counted or sorted by
_KEPT: Body = {"type": "keyword", "index": False, "doc_values": False}  # only read back
_NUMBER: Body = {"type": "long"}  # any limit that can be typed fits
_REGEX = 10_000  # characters: the longest pattern of a query, each character escaped, with room to spare

_GRAPH = {"m": 16, "ef_construction": 128}
VECTOR = "vector_"
OTHER_TAGS = "tag_other"
"""`CATEGORY_US_NAME` of tags in categories that have no field of their own."""
UNIT = "\x1f"
"""Joins the parts of one term. It counts as white space, so no folded name has it in it."""


def facet_field(facet: str) -> str:
    """The field that a facet is counted in; `OTHER_TAGS` for an unheard-of tag category."""
    if facet == "people":
        return "people_class"
    if facet in EXCLUSIVE or facet in SHARED:
        return facet
    return f"tag_{facet}" if facet in TAG_CATEGORIES else OTHER_TAGS


def mapping() -> Mapping[str, Any]:
    """The mapping; a field that it does not name is refused."""
    counted = [facet_field(name) for name in (*TAG_CATEGORIES, *SHARED, *EXCLUSIVE)]
    numbers = ("record", "revision", "created", "day", "width", "height", "ratio", "mp", "pixels", "bytes", "people")
    properties: dict[str, Body] = {
        **dict.fromkeys((*counted, "tag", "in", OTHER_TAGS, "sha256", "phash_part"), _KEYWORD),
        **dict.fromkeys(("word", "confidence"), _SOUGHT),
        **dict.fromkeys(("surest", "phash"), _KEPT),
        **dict.fromkeys((*numbers, "lot"), _NUMBER),
        "deleted": {"type": "boolean"},
        "written": {"type": "date", "format": "epoch_millis"},
    }
    return {"dynamic": "strict", "_source": {"excludes": [VECTOR + "*"]}, "properties": properties}


def vector_field(space: int) -> str:
    """The field of a model's vectors."""
    return f"{VECTOR}{space}"


def vectors(spaces: Mapping[int, int]) -> Mapping[str, Body]:
    """The fields of spaces by width. Graphs as in the paper's middle range; lucene needs no native library."""
    graph = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil", "parameters": _GRAPH}
    return {
        vector_field(space): {"type": "knn_vector", "dimension": width, "method": graph}
        for space, width in spaces.items()
    }


def shape() -> str:
    """A digest of the mapping: editions that another Nafuda made may have another."""
    return hashlib.sha256(json.dumps(mapping(), sort_keys=True).encode()).hexdigest()[:12]


def settings(shards: int, replicas: int, *, knn: bool) -> Body:
    """The settings of a new index. knn: it can have vectors.

    `gc_deletes` is short because deletions are tombstones of our own: what is deleted for good shall be forgotten.
    """
    return {
        "number_of_shards": shards,
        "number_of_replicas": replicas,
        "refresh_interval": "1s",
        "gc_deletes": "0s",
        "max_regex_length": _REGEX,
        **({"knn": True} if knn else {}),
    }
