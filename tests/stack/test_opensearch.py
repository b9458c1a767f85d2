"""OpenSearch: what its adapter will rest on, k-NN in the lucene engine and external versions."""

import uuid
from collections.abc import Iterator

import httpx2
import pytest

from tests.stack.given import given

pytestmark = pytest.mark.stack

MAPPING = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0, "index.knn": True},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "tag": {"type": "keyword"},
            "vector": {
                "type": "knn_vector",
                "dimension": 3,
                "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
            },
        },
    },
}


@pytest.fixture
def index() -> Iterator[httpx2.Client]:
    """A client at a fresh index."""
    name = f"test-{uuid.uuid4()}"
    with httpx2.Client(base_url=f"{given('NAFUDA_TEST_OPENSEARCH_URL')}/{name}", timeout=30) as index:
        index.put("", json=MAPPING).raise_for_status()
        yield index
        index.delete("").raise_for_status()


def put(index: httpx2.Client, key: str, tag: str, vector: list[float], version: int) -> httpx2.Response:
    """Write a document under an external version, visible at once."""
    under = {"version": str(version), "version_type": "external", "refresh": "true"}
    return index.put(f"/_doc/{key}", params=under, json={"tag": tag, "vector": vector})


def found(index: httpx2.Client, query: dict[str, object]) -> list[str]:
    """Ids of what a query finds, best first."""
    answer = index.post("/_search", json={"query": query}).raise_for_status().json()
    return [hit["_id"] for hit in answer["hits"]["hits"]]


def test_the_nearest_vectors_are_found_also_under_a_filter(index: httpx2.Client) -> None:
    put(index, "a", "cat", [1, 0, 0], 1).raise_for_status()
    put(index, "b", "dog", [0.9, 0.1, 0], 1).raise_for_status()
    put(index, "c", "cat", [0, 1, 0], 1).raise_for_status()
    near = {"vector": [1, 0, 0], "k": 2}
    assert found(index, {"knn": {"vector": near}}) == ["a", "b"]
    assert found(index, {"knn": {"vector": {**near, "filter": {"term": {"tag": "cat"}}}}}) == ["a", "c"]


def test_a_write_with_an_older_external_version_is_refused(index: httpx2.Client) -> None:
    put(index, "a", "newer", [1, 0, 0], 7).raise_for_status()
    assert put(index, "a", "older", [1, 0, 0], 6).status_code == 409
    assert put(index, "a", "again", [1, 0, 0], 7).status_code == 409
    assert found(index, {"term": {"tag": "newer"}}) == ["a"]


def test_a_field_that_the_mapping_does_not_have_is_refused(index: httpx2.Client) -> None:
    assert index.put("/_doc/a", json={"colour": "red"}).status_code == 400
