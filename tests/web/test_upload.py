"""Files come in whole or are refused with a reason, under names that harm nobody."""  # R76

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.web.conftest import Browser
from tests.web.site import Site, png
from web import create_app
from web.access import form_token
from web.upload import safe_name

File = tuple[str, bytes]


def send(browser: Browser, *files: File, script: bool = False) -> Response:
    token = form_token(browser.session)
    headers = {"Accept": "application/json", "X-CSRF-Token": token} if script else {}
    parts = [("files", (name, content, "image/png")) for name, content in files]
    data = {} if script else {"csrf": token}
    answer: Response = browser.client.post("/upload", files=parts, data=data, headers=headers)
    return answer


def stored(site: Site) -> list[str]:
    return [head.key for head in site.services.store.list("images")]


def test_an_upload_lies_in_the_bucket_under_the_day_and_its_name(site: Site, moderator: Browser) -> None:
    page = send(moderator, ("Miku 042.PNG", png()))
    key = f"uploads/{datetime.now(UTC):%Y/%m/%d}/Miku 042.png"
    assert page.status_code == 200 and stored(site) == [key] and "being analysed" in page.text
    assert site.services.objects.outcomes([("images", key)])[0].outcome == "pending"


def test_two_files_of_one_name_are_both_kept(site: Site, moderator: Browser) -> None:
    send(moderator, ("a.png", png()), ("a.png", png("red")))
    send(moderator, ("a.png", png("green")))
    assert [key.rsplit("/", 1)[1] for key in stored(site)] == ["a-2.png", "a-3.png", "a.png"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute.png", "absolute.png"),
        (".hidden.png", "hidden.png"),
        ("..", "file"),
        ("nul\0l.png", "nul_l.png"),
        ("line\nbreak.png", "line_break.png"),
        ("<img src=x>.png", "_img src_x_.png"),
        ("名札.png", "名札.png"),
        ("x" * 300 + ".png", "x" * 80 + ".png"),
        ("a.<b>", "a._b_"),
    ],
)
def test_a_name_becomes_a_safe_part_of_a_key(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


def test_no_name_leads_out_of_the_uploads(site: Site, moderator: Browser) -> None:
    for name in ("../../../escape.png", "a/../../b.png", "%2e%2e%2fc.png", "..%5cd.png"):
        send(moderator, (name, png()))
    assert all(key.startswith("uploads/") and ".." not in key.split("/") for key in stored(site))


def test_what_is_refused_is_told_beside_what_was_taken(site: Site, moderator: Browser) -> None:
    page = send(moderator, ("good.png", png()), ("<b>empty</b>.png", b""), ("huge.png", b"x" * 200_001)).text
    assert len(stored(site)) == 1
    assert "It is empty" in page and "at most 195.3 KB are taken" in page
    assert "&lt;b&gt;empty" in page and "<b>empty" not in page


def test_scripts_get_the_same_as_json(site: Site, moderator: Browser) -> None:
    taken, refused = send(moderator, ("a.png", png()), ("b.png", b""), script=True).json()
    assert taken["key"].endswith("/a.png") and not taken["reason"]
    assert not refused["key"] and "empty" in refused["reason"]


def test_a_refusal_by_the_analysis_reaches_the_page(site: Site, moderator: Browser) -> None:
    key = send(moderator, ("text.png", b"no image"), script=True).json()[0]["key"]
    head = site.services.store.head("images", key)
    assert head is not None
    site.services.objects.refused(1, 1, head, "not-an-image", "This is text: send a picture.")
    assert moderator.get(f"/upload/outcomes?key={key}").json()[0]["outcome"] == "refused"
    assert "This is text: send a picture." in moderator.get(f"/upload?key={key}").text


def test_outcomes_are_told_of_uploads_only(site: Site, moderator: Browser) -> None:
    site.add("secret/a.png")
    assert moderator.get("/upload/outcomes?key=secret/a.png&key=uploads/../secret/a.png").json() == []


def test_more_files_than_allowed_are_refused_one_by_one(site: Site, moderator: Browser) -> None:
    app = create_app(replace(site.web, uploads=replace(site.web.uploads, files=1)))
    client = TestClient(app, follow_redirects=False, cookies={"nafuda_session": moderator.session})
    page = send(Browser(client, moderator.session), ("a.png", png()), ("b.png", png("red")))
    assert "Only 1 files are taken at once" in page.text and len(stored(site)) == 1


def test_a_request_over_the_limit_is_turned_away_before_it_is_read(site: Site, moderator: Browser) -> None:
    app = create_app(replace(site.web, uploads=replace(site.web.uploads, request_bytes=1000)))
    client = TestClient(app, follow_redirects=False, cookies={"nafuda_session": moderator.session})
    assert send(Browser(client, moderator.session), ("a.png", b"x" * 2000)).status_code == 413
    chunks = (b"x" * 400 for _ in range(5))
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert client.post("/upload", content=chunks, headers=headers).status_code == 413
    assert stored(site) == []


def test_an_ordinary_form_takes_little(moderator: Browser) -> None:
    assert moderator.post("/theme", theme="auto", next="x" * 100_000).status_code == 413
