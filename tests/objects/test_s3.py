"""S3 as an object store: the contract, and what only a server can do wrong."""

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from io import BytesIO

import pytest
from botocore.client import BaseClient

from infra.objects.s3 import PART, S3Store
from schemas.errors import DeniedError, NotFoundError, PermanentError, RefusedError, TransientError
from tests.objects.contract import Breaking, ObjectStoreContract
from tests.stack.given import given
from tests.stack.queues import aws_s3
from tests.stack.telling import client, remove

pytestmark = pytest.mark.stack

QUICK = timedelta(milliseconds=300)


@pytest.fixture(scope="module")
def store() -> Iterator[S3Store]:
    """The store that the environment names."""
    with closing(S3Store(given("NAFUDA_TEST_S3_URL"))) as store:
        yield store


@pytest.fixture(scope="module")
def s3() -> Iterator[BaseClient]:
    """Another client of the same server: what somebody else does to a bucket."""
    with client() as s3:
        yield s3


@pytest.fixture
def bucket(store: S3Store, s3: BaseClient) -> Iterator[str]:
    """A bucket of the test's own."""
    name = f"test-{uuid.uuid4().hex[:20]}"
    store.make_bucket(name)
    yield name
    remove(s3, name)


class TestS3(ObjectStoreContract):
    """The contract holds."""


def test_a_bucket_that_exists_is_left_as_it_is(store: S3Store, bucket: str) -> None:
    store.put(bucket, "a", b"x")
    store.make_bucket(bucket)
    assert [head.key for head in store.list(bucket)] == ["a"]


def test_versions_are_described_and_a_delete_marker_is_nothing(store: S3Store, bucket: str, s3: BaseClient) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})  # R71
    first = store.put(bucket, "a", b"first")
    second = store.put(bucket, "a", b"second")
    assert first.version and first.version != second.version
    current, old = store.head(bucket, "a"), store.head(bucket, "a", first.version)
    assert current is not None and (current.version, current.size) == (second.version, 6)
    assert old is not None and (old.version, old.etag, old.size) == (first.version, first.etag, 5)
    with pytest.raises(TransientError, match="changed"):
        store.read(first, 100)
    store.delete(bucket, "a")
    assert store.head(bucket, "a") is None
    marker = s3.list_object_versions(Bucket=bucket)["DeleteMarkers"][0]["VersionId"]
    assert store.head(bucket, "a", marker) is None
    s3.delete_object(Bucket=bucket, Key="a", VersionId=marker)
    assert store.read(second, 100) == b"second"


def test_each_version_is_told_and_erased_alone(store: S3Store, bucket: str, s3: BaseClient) -> None:  # R76
    before = store.put(bucket, "a", b"before")  # of which there is no version yet
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"second", b"third"):
        store.put(bucket, "a", content)
    store.delete(bucket, "a")
    third, second, first = store.versions(bucket)
    assert (first.version, first.etag) == ("null", before.etag)
    for head, content in ((third, b"third"), (second, b"second"), (first, b"before")):
        with store.open(bucket, "a", head.version) as stream:
            assert stream.read() == content
    store.erase(second)
    assert list(store.versions(bucket)) == [third, first]
    with pytest.raises(NotFoundError), store.open(bucket, "a", second.version):
        pass


def test_below_newer_versions_only_what_is_still_there_is_erased(  # R76
    store: S3Store, bucket: str, s3: BaseClient
) -> None:
    store.put(bucket, "a", b"old")
    (old,) = store.versions(bucket)
    store.put(bucket, "a", b"new")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put(bucket, "a", b"above")
    above, new = store.versions(bucket)
    assert not store.erase(old)
    assert list(store.versions(bucket)) == [above, new]
    assert store.erase(new)
    assert list(store.versions(bucket)) == [above]


def test_what_others_say_of_an_object_comes_along(store: S3Store, bucket: str, s3: BaseClient) -> None:  # R79
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ContentType="image/webp", Metadata={"Nafuda-Tags": "1girl"})
    head = store.head(bucket, "a")
    assert head is not None
    assert (head.content_type, head.metadata) == ("image/webp", {"nafuda-tags": "1girl"})


def test_a_multipart_upload_that_breaks_leaves_no_parts(store: S3Store, bucket: str, s3: BaseClient) -> None:
    class BreakingLate(Breaking):
        def read(self, size: int | None = -1) -> bytes:
            return BytesIO.read(self, size) if self.tell() < PART else super().read(size)

    with pytest.raises(TransientError, match="went away"):
        store.put(bucket, "a", BreakingLate(b"z" * (PART + 100)))
    assert store.head(bucket, "a") is None
    assert not s3.list_multipart_uploads(Bucket=bucket, Prefix="a").get("Uploads")


def test_a_key_that_no_server_holds_is_refused_and_found_nowhere(store: S3Store, bucket: str) -> None:
    long = "x/" * 600
    with pytest.raises(PermanentError, match="another key"):
        store.put(bucket, long, b"x")
    assert store.head(bucket, long) is None


def test_a_bucket_name_that_no_server_takes_is_not_found(store: S3Store) -> None:
    assert store.head("Not A Bucket", "a") is None
    with pytest.raises(PermanentError):
        list(store.list("Not A Bucket"))


def test_wrong_credentials_are_no_images_fault(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with closing(S3Store(given("NAFUDA_TEST_S3_URL"))) as denied:
        for ask in (lambda: denied.head(bucket, "a"), lambda: denied.put(bucket, "a", b"x"), denied.buckets):
            with pytest.raises(DeniedError, match="credentials"):
                ask()


def test_no_credentials_are_said(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with closing(S3Store(given("NAFUDA_TEST_S3_URL"))) as unknown, pytest.raises(TransientError) as refused:
        unknown.head(bucket, "a")
    assert "AWS_ACCESS_KEY_ID" in str(refused.value)


@contextmanager
def answering(said: bytes) -> Iterator[S3Store]:
    """A store whose server says this to the first request, and nothing to any other."""

    def answer(server: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(said)

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        with closing(S3Store(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=QUICK)) as store:
            yield store


def read(store: S3Store) -> bytes:
    """An object, a few bytes at a time."""
    with store.open("bucket", "a") as stream:
        return b"".join(iter(lambda: stream.read(10), b""))


def test_a_server_that_is_away_is_tried_again_later() -> None:  # R72
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with closing(S3Store(f"http://127.0.0.1:{port}", timeout=QUICK)) as away:
        with pytest.raises(TransientError, match="NAFUDA_OBJECTS_URL"):
            away.head("bucket", "a")
        with pytest.raises(TransientError, match="NAFUDA_OBJECTS_URL"):
            list(away.list("bucket"))


def test_a_server_that_says_nothing_is_given_up() -> None:  # R72
    with answering(b"") as store, pytest.raises(TransientError):
        store.head("bucket", "a")


@pytest.mark.parametrize("sent", [b"", b"123"])
def test_an_object_that_ends_early_is_no_object(sent: bytes) -> None:  # R72
    with (
        answering(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "e"\r\n\r\n' + sent) as store,
        pytest.raises(TransientError),
    ):
        read(store)


def test_an_archived_object_says_what_to_do() -> None:
    said = b"<Error><Code>InvalidObjectState</Code><Message>in the cold</Message></Error>"
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)
    with answering(answer) as store, pytest.raises(RefusedError, match="restore it"):
        read(store)


def test_of_an_archived_object_a_look_brings_the_head() -> None:
    with aws_s3() as s3, closing(S3Store(given("NAFUDA_TEST_AWS_URL"))) as store:
        bucket = f"test-{uuid.uuid4().hex[:20]}"
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="a", Body=b"cold", StorageClass="GLACIER")
        look = store.look(bucket, "a", lambda size: True)
        assert look is not None and (look.head.size, look.content) == (4, None)
        with pytest.raises(RefusedError, match="restore it"):
            store.read(look.head, 10)


@pytest.mark.parametrize("sent", [b"", b"123"])
def test_a_look_that_ends_early_is_no_object(sent: bytes) -> None:  # R72
    said = b'HTTP/1.1 200 OK\r\nLast-Modified: Fri, 27 Nov 2026 00:00:00 GMT\r\nContent-Length: 5\r\nETag: "e"\r\n\r\n'
    with answering(said + sent) as store, pytest.raises(TransientError):
        store.look("bucket", "a", lambda size: True)
