"""What an S3 server takes because we signed it, and that nothing can be made of it than what was signed."""  # R76

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from botocore.client import BaseClient

from infra.objects.s3 import S3Store
from infra.objects.s3_signing import S3Signer
from schemas.errors import PermanentError
from schemas.signing import SignedForm
from tests.stack.given import given
from tests.stack.telling import client, remove

pytestmark = pytest.mark.stack

BODY = b"0123456789"
KEY = "uploads/名札 a+b.png"


@pytest.fixture(scope="module")
def s3() -> Iterator[BaseClient]:
    with client() as s3:
        yield s3


@pytest.fixture
def store() -> Iterator[S3Store]:
    with closing(S3Store(given("NAFUDA_TEST_S3_URL"))) as store:
        yield store


@pytest.fixture
def buckets(store: S3Store, s3: BaseClient) -> Iterator[tuple[str, str]]:
    """One for uploads, and one that is nobody's business and holds a secret."""
    names = (f"test-{uuid.uuid4().hex[:20]}", f"test-{uuid.uuid4().hex[:20]}")
    for name in names:
        store.make_bucket(name)
    store.put(names[1], "secret", BODY)
    yield names
    for name in names:
        remove(s3, name)


@pytest.fixture
def signer() -> Iterator[S3Signer]:
    with closing(S3Signer(given("NAFUDA_TEST_S3_URL"), lasting=timedelta(minutes=1))) as signer:
        yield signer


def send(
    form: SignedForm,
    body: bytes = BODY,
    changed: Mapping[str, str] | None = None,
    *,
    url: str = "",
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Send it as a browser would; changed: other or more fields."""
    fields = {**form.fields, **(changed or {})}
    return httpx2.post(url or form.url, data=fields, files={"file": ("x.png", body)}, headers=headers)


def stored(store: S3Store, bucket: str) -> list[str]:
    return [head.key for head in store.list(bucket)]


def test_a_form_stores_the_object_that_it_was_signed_for(
    signer: S3Signer, store: S3Store, buckets: tuple[str, str]
) -> None:
    form = signer.upload(buckets[0], KEY, len(BODY), "image/png")
    assert timedelta(seconds=50) < form.until - datetime.now(UTC) <= timedelta(minutes=1)
    assert send(form).status_code == 201
    head = store.head(buckets[0], KEY)
    assert head is not None and head.content_type == "image/png"
    assert store.read(head, 100) == BODY


@pytest.mark.parametrize("body", [BODY + b"x", BODY[:-1], b"", BODY * 1000])
def test_a_form_takes_exactly_its_size(signer: S3Signer, store: S3Store, buckets: tuple[str, str], body: bytes) -> None:
    assert send(signer.upload(buckets[0], KEY, len(BODY), "image/png"), body).status_code in (400, 403)
    assert stored(store, buckets[0]) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "uploads/other.png"},
        {"key": "art/other.png"},
        {"key": "${filename}"},
        {"Content-Type": "text/html"},
        {"success_action_status": "200"},
        {"success_action_redirect": "https://elsewhere.example/"},
        {"x-amz-meta-nafuda-tags": "1girl"},
        {"x-amz-storage-class": "REDUCED_REDUNDANCY"},
        {"tagging": "<Tagging><TagSet/></Tagging>"},
        {"acl": "public-read"},
        {"x-amz-signature": "0" * 64},
        {"policy": ""},
    ],
)
def test_a_form_with_another_field_is_refused(
    signer: S3Signer, store: S3Store, buckets: tuple[str, str], changed: dict[str, str]
) -> None:
    answer = send(signer.upload(buckets[0], KEY, len(BODY), "image/png"), changed=changed)
    assert 400 <= answer.status_code < 500, answer.text
    assert stored(store, buckets[0]) == []


def test_no_form_is_signed_for_a_key_that_the_sender_would_complete(signer: S3Signer) -> None:
    with pytest.raises(PermanentError, match="filename"):
        signer.upload("images", "uploads/${filename}", 10, "image/png")


def test_a_form_reaches_no_other_bucket(signer: S3Signer, store: S3Store, buckets: tuple[str, str]) -> None:
    form = signer.upload(buckets[0], KEY, len(BODY), "image/png")
    assert send(form, url=form.url.replace(*buckets)).status_code in (400, 403)
    assert send(form, url=form.url.replace(*buckets), changed={"bucket": buckets[0]}).status_code in (400, 403)
    assert stored(store, buckets[1]) == ["secret"]


def test_a_form_copies_nothing(signer: S3Signer, store: S3Store, buckets: tuple[str, str]) -> None:
    """As a signed PUT would on MinIO, whatever was signed."""
    source = {"x-amz-copy-source": f"/{buckets[1]}/secret"}
    send(signer.upload(buckets[0], KEY, len(BODY), "image/png"), b"a" * len(BODY), headers=source)
    for head in store.list(buckets[0]):
        assert store.read(head, 100) == b"a" * len(BODY)
    form = signer.upload(buckets[0], "uploads/b.png", len(BODY), "image/png")
    signed = {name: value for name, value in form.fields.items() if name.lower().startswith("x-amz-")}
    for method in ("PUT", "GET", "DELETE"):
        answer = httpx2.request(method, f"{form.url.rstrip('/')}/uploads/b.png", params=signed, headers=source)
        assert answer.status_code in (400, 403)
    assert store.head(buckets[0], "uploads/b.png") is None


def test_nothing_signed_is_taken_after_its_time(s3: BaseClient, store: S3Store, buckets: tuple[str, str]) -> None:
    store.put(buckets[0], "a.png", BODY)
    with closing(S3Signer(given("NAFUDA_TEST_S3_URL"), lasting=timedelta(seconds=1))) as brief:
        form, address = brief.upload(buckets[0], KEY, 10, "image/png"), brief.download(buckets[0], "a.png", "", "a.png")
        time.sleep(2.5)
        assert send(form).status_code in (400, 403)
        assert httpx2.get(address).status_code in (400, 403)
    assert stored(store, buckets[0]) == ["a.png"]


def test_an_address_gives_the_object_as_a_file(signer: S3Signer, store: S3Store, buckets: tuple[str, str]) -> None:
    store.put(buckets[0], KEY, BODY, "image/svg+xml")
    answer = httpx2.get(signer.download(buckets[0], KEY, "", "名札 a+b.png"))
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%E5%90%8D%E6%9C%AD%20a%2Bb.png"


def test_an_address_gives_the_version_that_it_was_signed_for(
    signer: S3Signer, store: S3Store, s3: BaseClient, buckets: tuple[str, str]
) -> None:
    s3.put_bucket_versioning(Bucket=buckets[0], VersioningConfiguration={"Status": "Enabled"})
    old = store.put(buckets[0], "a.png", BODY)
    store.put(buckets[0], "a.png", b"another")
    assert httpx2.get(signer.download(buckets[0], "a.png", old.version, "a.png")).content == BODY


def test_an_address_is_for_one_object_and_for_looking_only(
    signer: S3Signer, store: S3Store, buckets: tuple[str, str]
) -> None:
    for key in ("a.png", "b.png"):
        store.put(buckets[0], key, BODY)
    address = signer.download(buckets[0], "a.png", "", "a.png")
    changed = [
        address.replace("/a.png?", "/b.png?"),
        address.replace(f"/{buckets[0]}/a.png?", f"/{buckets[1]}/secret?"),
        address.replace(f"/{buckets[0]}/a.png?", f"/{buckets[0]}?"),
        address.replace("octet-stream", "html"),
        address.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        address + "&versionId=null",
        address + "&acl",
    ]
    assert [httpx2.get(each).status_code for each in changed] == [403] * len(changed)
    for method in ("PUT", "DELETE", "HEAD"):
        headers = {"x-amz-copy-source": f"/{buckets[1]}/secret"} if method == "PUT" else {}
        assert httpx2.request(method, address, headers=headers).status_code == 403
    assert stored(store, buckets[0]) == ["a.png", "b.png"]


@pytest.mark.parametrize("page", ["http://127.0.0.1:8420", "http://localhost:9999"])
def test_a_browser_may_send_a_form_from_the_pages_and_from_no_other_site(
    signer: S3Signer, buckets: tuple[str, str], page: str
) -> None:
    """The stack's MINIO_API_CORS_ALLOW_ORIGIN: what a browser asks before it sends, and what it is told afterwards."""
    form = signer.upload(buckets[0], "a.png", len(BODY), "image/png")
    assert form.url.startswith(signer.origin(buckets[0]) + "/")
    for origin, allowed in ((page, page), ("https://evil.example", None)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        with httpx2.Client(trust_env=False) as browser:
            before = browser.request("OPTIONS", form.url, headers=asked)
            files = {"file": ("a.png", BODY, "image/png")}
            sent = browser.post(form.url, data=dict(form.fields), files=files, headers={"Origin": origin})
        assert before.headers.get("access-control-allow-origin") == allowed
        assert (sent.status_code, sent.headers.get("access-control-allow-origin")) == (201, allowed)
