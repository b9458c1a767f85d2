"""The search index on PostgreSQL: `PostgresSearch`, and `PostgresSimilar` for what is alike."""

from infra.search.postgres.index import PostgresSearch
from infra.search.postgres.similar import PostgresSimilar

__all__ = ["PostgresSearch", "PostgresSimilar"]
