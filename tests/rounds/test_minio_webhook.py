"""MinIO's own webhook to pages of ours: what is stored while they are away is told when they are back (R1, R71)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.client import BaseClient

from tasks.serve import web_services
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.records.books import Books
from tests.rounds.following import books_of, keys, parts
from tests.stack.given import given
from tests.stack.telling import telling_bucket
from tests.web.served import served

pytestmark = pytest.mark.stack

KEY = "写真/a b+c%41.png"


@pytest.fixture
def bucket(s3: BaseClient) -> Iterator[str]:
    with telling_bucket(s3, "NAFUDA_TEST_WEBHOOK_ARN") as name:
        yield name


@pytest.fixture
def services(tmp_path: Path, database: str) -> Iterator[Services]:
    server, secret = f"s3+{given('NAFUDA_TEST_S3_URL')}", given("NAFUDA_TEST_WEBHOOK_SECRET")
    with parts(tmp_path, database, "web", objects_url=server, events_secret=secret) as services:
        yield services


@pytest.fixture
def books(services: Services, bucket: str) -> Books:
    return books_of(services, bucket)


@contextmanager
def pages(services: Services) -> Iterator[None]:
    """Where MinIO expects them."""
    with web_services(services) as web, served(web, int(given("NAFUDA_TEST_WEBHOOK_PORT"))):
        yield


def test_what_is_stored_is_hinted_at_also_when_the_pages_were_away(
    services: Services, books: Books, s3: BaseClient, bucket: str
) -> None:
    with pages(services):
        s3.put_object(Bucket=bucket, Key=KEY, Body=b"x")
        wait_for(lambda: keys(books) == {KEY}, 30)
    s3.put_object(Bucket=bucket, Key="meanwhile.png", Body=b"x")
    with pages(services):
        wait_for(lambda: keys(books) == {KEY, "meanwhile.png"}, 60)
    assert services.letters.latest() == []
