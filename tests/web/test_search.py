"""The search page: the query is its state, and everybody sees only what they may see."""  # R64, R67

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from infra.search.postgres import PostgresSearch
from schemas.errors import TransientError
from schemas.search import FacetPage, SearchRequest
from tests.web.conftest import Browser, records_on
from tests.web.site import Shown, Site, png
from web import create_app

SMILE = Shown((("smile", 0.9), ("hat", 0.8)))
PLAIN = Shown((("glasses", 0.9), ("general", 0.9)))
SWORD = Shown((("sword", 0.9), ("smile", 0.9)))


def test_hits_come_before_facets_in_the_answer(site: Site, viewer: Browser) -> None:
    record = site.add("a.png", SMILE)
    page = viewer.get("/")
    assert records_on(page) == [record]
    assert page.text.index('id="hits"') < page.text.index('id="facet-general"')


def test_a_query_finds_its_tags_and_says_how_many(site: Site, viewer: Browser) -> None:
    wanted, _ = site.add("a.png", SMILE), site.add("b.png", PLAIN)
    page = viewer.get("/?q=smile")
    assert records_on(page) == [wanted]
    assert "<strong>1 image</strong>" in page.text


def test_a_thumbnails_alternative_text_tells_the_tags(site: Site, viewer: Browser) -> None:
    record = site.add("a.png", Shown((("smile", 0.9), ("blonde_hair", 0.8), ("general", 0.9))))
    bare = site.found("b.png", png())
    page = viewer.get("/").text
    assert 'alt="smile, blonde hair"' in page and f'alt="Image {bare}, not tagged yet"' in page
    assert record in records_on(viewer.get("/"))


def facet_link(page: str, name: str, kind: str) -> str:
    row = re.search(rf'data-name="{name}".*?class="{kind}" href="([^"]+)"', page, re.DOTALL)
    assert row is not None
    return unescape(row[1])


@pytest.mark.parametrize(("kind", "query"), [("inc", "glasses smile"), ("exc", "glasses -smile")])
def test_a_facets_click_edits_the_query(kind: str, query: str, site: Site, viewer: Browser) -> None:
    site.add("a.png", Shown((("smile", 0.9), ("glasses", 0.9))))
    link = facet_link(viewer.get("/?q=glasses").text, "smile", kind)
    assert parse_qs(urlsplit(link).query)["q"] == [query]
    assert viewer.get(link).status_code == 200


def test_an_excluded_tag_stays_in_sight_to_be_allowed_again(site: Site, viewer: Browser) -> None:
    record = site.add("a.png", PLAIN)
    site.add("b.png", SMILE)
    link = facet_link(viewer.get("/?q=-smile").text, "smile", "exc")
    assert link == "/" and record in records_on(viewer.get("/?q=-smile"))


def test_a_query_that_cannot_be_read_is_explained(viewer: Browser) -> None:
    page = viewer.get("/?q=" + "rating:nonsense")
    assert page.status_code == 400 and "column" in page.text and "rating:nonsense" in page.text


def test_nothing_found_offers_to_leave_terms_out(site: Site, viewer: Browser) -> None:
    site.add("a.png", SMILE)
    page = viewer.get("/?q=smile+glasses")
    assert "No image fits" in page.text and 'href="/?q=smile"' in page.text


def test_an_empty_site_says_what_to_do(viewer: Browser, moderator: Browser) -> None:
    assert "A moderator has to upload" in viewer.get("/").text
    assert 'href="/upload"' in moderator.get("/").text


def test_held_images_are_for_moderators_only(site: Site, viewer: Browser, moderator: Browser) -> None:
    record = site.add("a.png", SWORD)
    sha256 = site.services.records.record(record).sha256
    assert records_on(viewer.get("/")) == [] and records_on(moderator.get("/")) == [record]
    assert 'class="hit veiled"' in moderator.get("/").text
    for path in ("", "/view", "/raw", f"/thumbnail/{sha256}"):
        assert viewer.get(f"/images/{record}{path}").status_code == 404
        assert moderator.get(f"/images/{record}{path}").status_code == 200
    assert viewer.get(f"/api/v1/images/{record}").status_code == 404
    assert viewer.get("/api/v1/search").json()["hits"] == []
    assert viewer.get("/api/v1/suggestions?q=sword").json() == []


def test_a_tags_name_is_text_and_never_markup(site: Site, viewer: Browser) -> None:
    record = site.add("a.png", Shown((("tall&<b>bold</b>", 0.9),)))
    for path in (
        "/",
        "/?q=tall%26%3Cb%3Ebold%3C/b%3E",
        f"/images/{record}",
        "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%22",
    ):
        text = viewer.get(path).text
        assert "<b>bold" not in text and "<script>alert" not in text


def test_pages_follow_each_other_without_a_gap(site: Site, viewer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.search.PAGE", 2)
    records = [site.add(f"{number}.png") for number in range(5)]
    seen: list[int] = []
    address: str | None = "/?q=smile"
    while address is not None:
        page = viewer.get(address)
        seen += records_on(page)
        found = re.search(r'id="next" href="([^"]+)"', page.text)
        address = unescape(found[1]) if found else None
    assert seen == records[::-1]


def test_the_api_answers_like_the_page(site: Site, viewer: Browser) -> None:
    record = site.add("a.png", SMILE)
    found = viewer.get("/api/v1/search?q=smile").json()
    assert found["total"] == 1 and found["exact"] and found["hits"][0]["record"] == record
    facets = {facet["name"]: facet["values"] for facet in viewer.get("/api/v1/facets?q=smile").json()["facets"]}
    assert {"value": "hat", "count": 1} in facets["general"]
    assert viewer.get("/api/v1/suggestions?q=sm").json() == [{"name": "smile", "category": "general", "count": 1}]
    assert viewer.get("/api/v1/status").json()["searchable"] == 1


@pytest.mark.parametrize(
    "path", ["/api/v1/search?q=rating:x", "/api/v1/search?limit=0", "/api/v1/search?after=nonsense"]
)
def test_the_api_explains_bad_requests_in_json(path: str, viewer: Browser) -> None:
    answer = viewer.get(path)
    assert answer.status_code in (400, 422) and answer.json()["message"]


@pytest.mark.parametrize("asked", ["search?q=visibility:held", "facets?name=flag", "facets?q=review:open"])
def test_viewers_cannot_ask_about_what_is_held(asked: str, site: Site, viewer: Browser, moderator: Browser) -> None:
    site.add("a.png", SWORD)
    assert viewer.get(f"/api/v1/{asked}").status_code == 400
    assert moderator.get(f"/api/v1/{asked}").status_code == 200


class Uncounted(PostgresSearch):
    """An index that finds and cannot count."""

    def facets(self, request: SearchRequest, names: Sequence[str], size: int) -> FacetPage:
        raise TransientError("counting takes too long just now")


def test_when_counting_fails_the_hits_stay(site: Site, viewer: Browser) -> None:
    record = site.add("a.png", SMILE)
    app = create_app(replace(site.web, search=Uncounted(site.services.pool)))
    client = TestClient(app, cookies={"nafuda_session": viewer.session})
    page = client.get("/?q=smile")
    assert records_on(page) == [record] and page.status_code == 200
    assert "counting takes too long just now" in page.text


def test_images_under_way_are_told_and_looked_after(site: Site, viewer: Browser) -> None:
    site.add("a.png", SMILE)
    site.found("b.png", png())
    page = viewer.get("/")
    assert "1 of 2</strong> analysed" in page.text and '<noscript><meta http-equiv="refresh"' in page.text
    assert viewer.get("/progress").json() == {"settled": 1, "refused": 0, "total": 2}
