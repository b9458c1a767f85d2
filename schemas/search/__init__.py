"""Search as everybody agrees on it: the query language, the tokeniser, the facets, the port to an index."""

from schemas.search.edit import Selection, excluding, selection, toggle, with_order, without
from schemas.search.facets import (
    EXCLUSIVE,
    FACETS,
    MODERATORS_ONLY,
    SHARED,
    TAG_CATEGORIES,
    facet_term,
    facet_values,
)
from schemas.search.index import (
    HIT_TAGS,
    Alias,
    Facet,
    FacetPage,
    FacetValue,
    Hit,
    HitPage,
    SearchIndex,
    SearchRequest,
    Suggestion,
    Viewer,
    WriteOutcome,
)
from schemas.search.parser import parse
from schemas.search.query import Order, per_mille
from schemas.search.text import Query, node_text
from schemas.search.tokens import fold, words

__all__ = [
    "EXCLUSIVE",
    "FACETS",
    "HIT_TAGS",
    "MODERATORS_ONLY",
    "SHARED",
    "TAG_CATEGORIES",
    "Alias",
    "Facet",
    "FacetPage",
    "FacetValue",
    "Hit",
    "HitPage",
    "Order",
    "Query",
    "SearchIndex",
    "SearchRequest",
    "Selection",
    "Suggestion",
    "Viewer",
    "WriteOutcome",
    "excluding",
    "facet_term",
    "facet_values",
    "fold",
    "node_text",
    "parse",
    "per_mille",
    "selection",
    "toggle",
    "with_order",
    "without",
    "words",
]
