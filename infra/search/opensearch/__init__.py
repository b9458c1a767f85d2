"""The search index on OpenSearch: `OpenSearchIndex` over a `connect`ed client, `Editions` to make it anew, likeness."""

from infra.search.opensearch.client import connect
from infra.search.opensearch.editions import Edition, Editions
from infra.search.opensearch.index import OpenSearchIndex
from infra.search.opensearch.similar import OpenSearchSimilar

__all__ = ["Edition", "Editions", "OpenSearchIndex", "OpenSearchSimilar", "connect"]
