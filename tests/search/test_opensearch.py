"""The search index on OpenSearch: the contract suite on a real node, and what is its own."""

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.search.opensearch import Editions, OpenSearchIndex, connect
from infra.search.opensearch.client import Client
from tests.search.contract import ALIASES, SAMPLE_ABOVE, SearchContract
from tests.stack.given import given

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of the stack's node."""
    client = connect(given("NAFUDA_TEST_OPENSEARCH_URL"), timeout=timedelta(seconds=30), connections=4)
    yield client
    client.close()


@pytest.fixture(scope="module")
def editions(client: Client) -> Iterator[Editions]:
    """Editions under a name of this process's own; all dropped in the end."""
    editions = Editions(client, f"test-{os.getpid()}")
    yield editions
    client.indices.delete(index=[edition.name for edition in editions.all()])


@pytest.fixture
def index(client: Client, editions: Editions) -> OpenSearchIndex:
    """An empty index."""
    index = OpenSearchIndex(client, editions, lambda name: ALIASES.get(name, name), sample_above=SAMPLE_ABOVE)
    index.truncate()
    return index


class TestOpenSearch(SearchContract):
    """Everything that every index does."""
