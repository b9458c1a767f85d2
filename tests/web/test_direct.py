"""Files past the pages, as far as no server is needed: originals, and what is refused before it is signed."""  # R76

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from infra.objects.s3_signing import S3Signer
from infra.settings import Settings
from schemas.errors import ConfigurationError
from tasks.services import Services
from tests.web.conftest import Browser
from tests.web.site import Site, png
from web import create_app
from web.access import form_token
from web.direct import new_key
from web.upload import PREFIX


@pytest.fixture
def direct(site: Site, moderator: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A moderator of a site whose store signs."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with closing(S3Signer("https://store.example", lasting=timedelta(minutes=5))) as signer:
        app = create_app(replace(site.web, signer=signer))
        client = TestClient(app, follow_redirects=False, cookies={"nafuda_session": moderator.session})
        yield Browser(client, moderator.session)


def promised(answer: Response) -> list[object]:
    """The conditions of a form's policy, but for those of the signature."""
    policy = json.loads(base64.b64decode(answer.json()["fields"]["policy"]))
    return [each for each in policy["conditions"] if not str(each).startswith("{'x-amz-")]


def test_one_form_is_signed_for_a_new_key_below_the_uploads(direct: Browser) -> None:
    fields = {"name": "../../Miku 42.PNG", "size": 1000, "type": "image/png"}
    answers = [direct.post("/api/v1/uploads", None, **fields) for _ in range(2)]
    keys = [answer.json()["key"] for answer in answers]
    assert len(set(keys)) == 2
    assert all(
        key.startswith(f"{PREFIX}{datetime.now(UTC):%Y/%m/%d}/") and key.endswith("/Miku 42.png") for key in keys
    )
    assert promised(answers[0]) == [
        {"Content-Type": "image/png"},
        {"success_action_status": "201"},
        ["content-length-range", 1000, 1000],
        {"bucket": "images"},
        {"key": keys[0]},
    ]
    told = answers[0].json()
    assert told["url"] == "https://store.example/images" and told["fields"]["key"] == keys[0]
    assert datetime.now(UTC) < datetime.fromisoformat(told["until"]) < datetime.now(UTC) + timedelta(minutes=6)
    assert answers[0].status_code == 201 and answers[0].headers["cache-control"] == "no-store"


def test_the_upload_page_may_send_to_the_store_that_signs_and_to_no_other_origin(
    direct: Browser, moderator: Browser
) -> None:
    answer = direct.get("/upload")
    assert 'data-direct="https://store.example"' in answer.text
    assert "connect-src 'self' https://store.example;" in answer.headers["content-security-policy"]
    assert "https://store.example" not in direct.get("/").headers["content-security-policy"]
    sent = direct.client.post("/upload", data={"csrf": form_token(direct.session)}, files=[("files", ("a.png", png()))])
    assert "connect-src 'self' https://store.example;" in sent.headers["content-security-policy"]
    through = moderator.get("/upload")
    assert "data-direct" not in through.text
    assert "connect-src 'self';" in through.headers["content-security-policy"]


def test_forms_of_aws_are_sent_to_the_buckets_own_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with closing(S3Signer("", lasting=timedelta(minutes=5))) as signer:
        origin, form = signer.origin("images"), signer.upload("images", "a", 1, "image/png")
    assert form.url == f"{origin}/" and origin.startswith("https://images.s3.") and origin.endswith(".amazonaws.com")


def test_a_store_that_cannot_be_signed_for_leaves_the_page_as_it_is_without(
    site: Site, moderator: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with closing(S3Signer("https://store.example", lasting=timedelta(minutes=5))) as signer:
        app = create_app(replace(site.web, signer=signer))
        client = TestClient(app, follow_redirects=False, cookies={"nafuda_session": moderator.session})
        answer = client.get("/upload")
    assert answer.status_code == 200 and "data-direct" not in answer.text


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"size": 200_001}, 422, "too-large"),
        ({"size": 0}, 422, "bad-request"),
        ({"size": -1}, 422, "bad-request"),
        ({"type": "text/html"}, 422, "not-an-image"),
        ({"type": "image/svg+xml"}, 422, "not-an-image"),
        ({"type": "image/png\r\nx: y"}, 422, "not-an-image"),
    ],
)
def test_nothing_else_is_signed(direct: Browser, fields: dict[str, object], status: int, code: str) -> None:
    answer = direct.post("/api/v1/uploads", None, **{"name": "a.png", "size": 10, "type": "image/png", **fields})
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert "fields" not in answer.json()


def test_no_name_leads_out_of_the_uploads_or_is_completed_by_the_sender() -> None:
    for name in ("../../escape.png", "..\\x.png", "${filename}", "/etc/passwd", "a/\0b.png", "..", ""):
        key = new_key(name, datetime.now(UTC))
        assert key.startswith(PREFIX) and ".." not in key.split("/") and "${" not in key and "\0" not in key


def test_without_a_server_that_signs_the_present_way_is_named(moderator: Browser) -> None:
    answer = moderator.post("/api/v1/uploads", name="a.png", size=10, type="image/png")
    assert (answer.status_code, answer.json()["error"]) == (400, "not-direct")
    assert "/upload" in answer.json()["message"]


def test_what_was_sent_past_us_is_looked_at_when_its_sender_says_so(site: Site, moderator: Browser) -> None:
    key = f"{PREFIX}2026/01/02/0123456789abcdef/a.png"
    assert moderator.post("/api/v1/uploads/stored", key=key).status_code == 404
    site.services.store.put("images", key, png())
    assert moderator.post("/api/v1/uploads/stored", key=key).json() == {"key": key, "taken": 1}
    assert site.services.objects.outcomes([("images", key)])[0].outcome == "pending"


def test_nobody_learns_by_it_what_lies_elsewhere(site: Site, moderator: Browser) -> None:
    site.services.store.put("images", "secret/a.png", png())
    assert moderator.post("/api/v1/uploads/stored", key="secret/a.png").status_code == 404


def test_an_original_passes_through_us_as_it_was_put(site: Site, moderator: Browser) -> None:
    record = site.add("art/名札 1.png")
    answer = moderator.get(f"/images/{record}/original")
    head = site.services.store.head("images", "art/名札 1.png")
    assert head is not None
    assert answer.content == site.services.store.read(head, 200_000)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert unquote(answer.headers["content-disposition"]) == "attachment; filename*=UTF-8''名札 1.png"
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"
    assert f"/images/{record}/original" in moderator.get(f"/images/{record}").text


def test_an_original_that_is_gone_or_replaced_is_not_found(site: Site, moderator: Browser) -> None:
    record = site.add("a.png")
    site.services.store.put("images", "a.png", b"something else")
    assert moderator.get(f"/images/{record}/original").status_code == 404
    site.services.store.delete("images", "a.png")
    assert moderator.get(f"/images/{record}/original").status_code == 404


def test_viewers_get_no_original_and_no_button(site: Site, viewer: Browser) -> None:
    record = site.add("a.png")
    assert viewer.get(f"/images/{record}/original").status_code == 403
    assert "original" not in viewer.get(f"/images/{record}").text


def test_an_original_comes_from_the_store_where_it_signs(site: Site, direct: Browser) -> None:
    record = site.add("art/a.png")
    answer = direct.get(f"/images/{record}/original")
    assert answer.status_code == 303 and answer.headers["cache-control"] == "no-store"
    address = answer.headers["location"]
    assert address.startswith("https://store.example/images/art/a.png?") and "X-Amz-Signature=" in address
    assert "filename%2A%3DUTF-8%27%27a.png" in address


def test_a_folder_signs_nothing_and_says_so(site: Site) -> None:
    settings = Settings(data=site.services.settings.data, direct_url="https://store.example")
    with pytest.raises(ConfigurationError, match="NAFUDA_DIRECT_URL"):
        assert Services(settings).signer
