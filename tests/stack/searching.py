"""An index of a test's own on the stack's OpenSearch, gone in the end; and a server that turns documents away."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from tests.e2e.instance import wait_for
from tests.stack.given import given

_DOCUMENT = b'{"index": {"_id": "1"}}\n{}\n'
_LINES = {"Content-Type": "application/x-ndjson"}


@contextmanager
def own_index() -> Iterator[str]:
    """A name that no other test has; its editions are removed in the end."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    remove_editions(name)


@contextmanager
def turning_away(url: str) -> Iterator[None]:
    """Its admission control finds any use of the processor too much: each document of a bulk is rejected with 429.

    Begins once that is so: a node turns nothing away until it has measured itself for as long as its windows are, two
    minutes for its disk by default.
    """
    limits = {"transport.cpu_usage.mode_override": "enforced", "indexing.cpu_usage.limit": 0}
    named = {f"admission_control.{name}": value for name, value in limits.items()}
    with httpx2.Client(base_url=url, timeout=30) as server, _probe(server) as probe:
        server.put("/_cluster/settings", json={"transient": named}).raise_for_status()
        try:
            wait_for(lambda: _status(server, probe) == 429, 150)
            yield
        finally:
            server.put("/_cluster/settings", json={"transient": dict.fromkeys(named)}).raise_for_status()


@contextmanager
def _probe(server: httpx2.Client) -> Iterator[str]:
    """An index for documents that are to be turned away."""
    name = f"probe-{uuid.uuid4().hex[:12]}"
    index = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    server.put(f"/{name}", json=index).raise_for_status()
    try:
        yield name
    finally:
        server.delete(f"/{name}").raise_for_status()


def _status(server: httpx2.Client, probe: str) -> int:
    """What the server says of a document."""
    (item,) = server.post(f"/{probe}/_bulk", content=_DOCUMENT, headers=_LINES).json()["items"]
    return int(item["index"]["status"])


def remove_editions(name: str) -> None:
    """Remove every index of a name, as if the server had lost them. By their names: the server takes no patterns."""
    with httpx2.Client(base_url=given("NAFUDA_TEST_OPENSEARCH_URL"), timeout=30) as server:
        for edition in server.get(f"/{name}-*", params={"filter_path": "*.aliases"}).raise_for_status().json():
            server.delete(f"/{edition}").raise_for_status()
