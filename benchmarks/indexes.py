"""Search indexes on servers of their own that can be measured: the embedded PostgreSQL and the stack's OpenSearch."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.embedded.postgres import EmbeddedPostgres
from infra.records.migrate import migrate
from infra.records.pool import Pool, open_pool, session
from infra.search.opensearch import Editions, OpenSearchIndex, connect
from infra.search.postgres import PostgresSearch
from schemas.search import SearchIndex
from tests.stack.own import own_stack

_NAME = "benchmark"
_TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Measurable:
    """An index and its server. pid: of the server, whose children are counted with it.

    settle: after loading. forget: drop the answers that the server keeps. size: bytes on disk.
    """

    name: str
    index: SearchIndex
    pid: int
    settle: Callable[[], None]
    forget: Callable[[], None]
    size: Callable[[], int]


@contextmanager
def on_postgres(folder: Path) -> Iterator[Measurable]:
    """The index on an embedded PostgreSQL; it keeps no answers."""
    server = EmbeddedPostgres(folder / "postgres", folder / "postgres.log")
    server.start()
    try:
        migrate(server.conninfo)
        with closing(open_pool(server.conninfo, size=2, name=_NAME)) as pool:
            index = PostgresSearch(pool)
            yield Measurable(
                "PostgreSQL", index, server.pid or 0, lambda: _analyse(pool), lambda: None, lambda: _bytes(pool)
            )
    finally:
        server.stop()


def _analyse(pool: Pool) -> None:
    with session(pool) as connection:
        for name in ("search_document", "search_count", "search_term"):
            connection.execute(f"VACUUM (ANALYZE) {name}")


def _bytes(pool: Pool) -> int:
    with session(pool) as connection:
        size = connection.execute("SELECT pg_total_relation_size('search_document')").fetchone()
    return int(size[0]) if size else 0


@contextmanager
def on_opensearch(folder: Path) -> Iterator[Measurable]:
    """The index on an OpenSearch of the stack's kind, one shard."""
    with own_stack(folder / "stack") as stack:
        url = stack.up("opensearch")["NAFUDA_TEST_OPENSEARCH_URL"]
        client = connect(url, timeout=_TIMEOUT, connections=2)
        editions = Editions(client, _NAME)
        index = OpenSearchIndex(client, editions)
        index.prepare()
        index.filled()
        read = editions.read()
        assert read is not None
        asked = {"index": read.name}

        def size() -> int:
            told = client.indices.stats(**asked, metric="store")
            return int(told["indices"][read.name]["primaries"]["store"]["size_in_bytes"])

        yield Measurable(
            "OpenSearch",
            index,
            stack.server("opensearch").pid or 0,
            lambda: client.indices.refresh(**asked),
            lambda: client.indices.clear_cache(**asked, params={"request": "true"}),
            size,
        )
        index.close()
