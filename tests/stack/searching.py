"""An index of a test's own on the stack's OpenSearch, gone in the end; and a server that turns documents away."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from tests.stack.given import given


@contextmanager
def own_index() -> Iterator[str]:
    """A name that no other test has; its editions are removed in the end."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    remove_editions(name)


@contextmanager
def turning_away(url: str) -> Iterator[None]:
    """Its admission control finds any use of the processor too much: each document of a bulk is rejected with 429."""
    limits = {"transport.cpu_usage.mode_override": "enforced", "indexing.cpu_usage.limit": 0}
    named = {f"admission_control.{name}": value for name, value in limits.items()}
    with httpx2.Client(base_url=url, timeout=30) as server:
        server.put("/_cluster/settings", json={"transient": named}).raise_for_status()
        try:
            yield
        finally:
            server.put("/_cluster/settings", json={"transient": dict.fromkeys(named)}).raise_for_status()


def remove_editions(name: str) -> None:
    """Remove every index of a name, as if the server had lost them. By their names: the server takes no patterns."""
    with httpx2.Client(base_url=given("NAFUDA_TEST_OPENSEARCH_URL"), timeout=30) as server:
        for edition in server.get(f"/{name}-*", params={"filter_path": "*.aliases"}).raise_for_status().json():
            server.delete(f"/{edition}").raise_for_status()
