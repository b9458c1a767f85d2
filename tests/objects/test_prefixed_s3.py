"""Small buckets in one, on a server: the contract holds there too."""

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from infra.objects.prefixed import PrefixedStore
from infra.objects.s3 import S3Store
from tests.objects.contract import ObjectStoreContract
from tests.stack.given import given
from tests.stack.telling import client, remove

pytestmark = pytest.mark.stack


@pytest.fixture
def store() -> Iterator[PrefixedStore]:
    """A bucket of the test's own, under another name each time."""
    name = f"test-{uuid4().hex[:20]}"
    with closing(S3Store(given("NAFUDA_TEST_S3_URL"))) as server, client() as s3:
        store = PrefixedStore(server, name, "made/", ("views",))
        store.make_bucket("views")
        yield store
        remove(s3, name)


@pytest.fixture
def bucket() -> str:
    return "views"


class TestPrefixesInABucketOfAServer(ObjectStoreContract):
    """The contract holds."""
