"""The least rights of each process, as docs/operation.md says them: enough, and none of them too many (R76)."""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.client import BaseClient

from infra.objects.s3 import S3Store
from schemas.errors import NafudaError
from schemas.images import Look
from tests.stack.given import given
from tests.stack.telling import client, remove

pytestmark = pytest.mark.stack
Rights = tuple[frozenset[str], frozenset[str]]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "operation.md"


def table() -> dict[str, Rights]:
    """Process → rights on the images' bucket and on the derived one's, as the page has it."""
    rows = re.findall(r"^\| (`[^|]+) \|([^|\n]*)\|([^|\n]*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    found: dict[str, Rights] = {}
    for who, *cells in rows:
        images, derived = (frozenset(re.findall(r"`(s3:\w+)`", cell)) for cell in cells)
        if images or derived:
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", who), (images, derived)))
    return found


def ingests(store: S3Store, images: str, derived: str) -> None:
    looks(store, images, derived)
    store.put(derived, "thumbnails/new.jpg", b"x")


def looks(store: S3Store, images: str, _: str) -> None:
    assert store.head(images, "nothing") is None
    head = store.head(images, "a.png")
    assert head is not None and store.read(head, 10) == b"image"
    assert store.look(images, "a.png", lambda size: True) == Look(head, b"image")


def lists(store: S3Store, images: str, _: str) -> None:
    assert [head.key for head in store.list(images)] == ["a.png"]


def shows(store: S3Store, images: str, derived: str) -> None:
    looks(store, images, derived)
    store.put(images, "uploads/b.png", b"x")
    store.put(derived, "views/new.jpg", b"x")
    assert store.head(derived, "views/none.jpg") is None
    with store.open(derived, "views/a.jpg") as file:
        assert file.read() == b"view"


def puts(store: S3Store, images: str, _: str) -> None:
    store.put(images, "b.png", b"x")


def collects(store: S3Store, _: str, derived: str) -> None:
    assert [head.key for head in store.list(derived, "views/")] == ["views/a.jpg"]
    store.delete(derived, "views/a.jpg")


def erases(store: S3Store, images: str, derived: str) -> None:
    """What it erases is not there, so that the next who tries finds the rest: rights are asked for first."""
    with store.open(images, "a.png", "null") as stream:
        assert stream.read() == b"image"
    for bucket in (images, derived):
        (head,) = store.versions(bucket)
        assert not store.erase(replace(head, key="nothing"))
        store.erase(replace(head, key="nothing", version=str(uuid.uuid4())))


def probes(store: S3Store, _: str, derived: str) -> None:
    store.put(derived, "doctor/probe", b"x")
    with store.open(derived, "doctor/probe") as file:
        assert file.read() == b"x"
    store.delete(derived, "doctor/probe")


def makes(store: S3Store, images: str, derived: str) -> None:
    store.make_bucket(images)
    store.make_bucket(derived)


DOES: Mapping[str, Callable[[S3Store, str, str], None]] = {
    "worker ingest": ingests,
    "worker vision": looks,
    "worker language": looks,
    "worker listen": lists,
    "worker sweep": lists,
    "web": shows,
    "nafuda ingest": puts,
    "nafuda erase": erases,
    "nafuda gc": collects,
    "nafuda doctor": probes,
    "nafuda migrate": makes,
}
LOOKING = ("worker ingest", "worker vision", "worker language", "web")


@pytest.fixture
def buckets() -> Iterator[tuple[str, str]]:
    """The images' and the derived one, with something in each."""
    names = (f"test-{uuid.uuid4().hex[:20]}", f"test-{uuid.uuid4().hex[:20]}")
    with client() as s3, closing(S3Store(given("NAFUDA_TEST_S3_URL"))) as store:
        for name in names:
            store.make_bucket(name)
        store.put(names[0], "a.png", b"image")
        store.put(names[1], "views/a.jpg", b"view")
        yield names
        for name in names:
            remove(s3, name)


@pytest.fixture
def sts() -> Iterator[BaseClient]:
    with closing(boto3.client("sts", endpoint_url=given("NAFUDA_TEST_S3_URL"))) as sts:
        yield sts


def allowed(sts: BaseClient, buckets: tuple[str, str], rights: Rights, patch: pytest.MonkeyPatch) -> S3Store:
    """A store with credentials that may do only this."""
    statements = [
        {"Effect": "Allow", "Action": sorted(own), "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}
        for name, own in zip(buckets, rights, strict=True)
        if own
    ] or [{"Effect": "Deny", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    said = sts.assume_role(RoleArn="arn:minio:iam:::role/any", RoleSessionName="test", Policy=policy)["Credentials"]
    patch.setenv("AWS_ACCESS_KEY_ID", said["AccessKeyId"])
    patch.setenv("AWS_SECRET_ACCESS_KEY", said["SecretAccessKey"])
    patch.setenv("AWS_SESSION_TOKEN", said["SessionToken"])
    return S3Store(given("NAFUDA_TEST_S3_URL"))


@pytest.mark.parametrize("process", DOES)
def test_the_rights_of_the_table_are_enough_and_none_is_too_many(
    process: str, sts: BaseClient, buckets: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rights = table()[process]
    with monkeypatch.context() as patch:
        for fewer in without_one(rights, looking=process in LOOKING):
            store = allowed(sts, buckets, fewer, patch)
            with closing(store), pytest.raises((NafudaError, AssertionError)):
                DOES[process](store, *buckets)
        with closing(allowed(sts, buckets, rights, patch)) as store:
            DOES[process](store, *buckets)


def without_one(rights: Rights, *, looking: bool) -> Iterator[Rights]:
    """The rights without each in turn. looking: MinIO says that nothing is there without ListBucket, AWS does not."""
    images, derived = rights
    needless = {"s3:ListBucket"} if looking else set()
    for right in images - needless:
        yield images - {right}, derived
    for right in derived - needless:
        yield images, derived - {right}


def test_every_process_of_the_table_is_tried() -> None:
    assert set(table()) == set(DOES)
