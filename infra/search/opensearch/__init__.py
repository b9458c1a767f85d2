"""The search index on OpenSearch: `OpenSearchIndex` over a `connect`ed client, and `Editions` to make it anew."""

from infra.search.opensearch.client import connect
from infra.search.opensearch.editions import Edition, Editions
from infra.search.opensearch.index import OpenSearchIndex

__all__ = ["Edition", "Editions", "OpenSearchIndex", "connect"]
