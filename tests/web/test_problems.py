"""When something does not work: a page with a next step, JSON for programs, and nothing given away."""  # R76

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from schemas.errors import TransientError
from schemas.services import Readiness
from tests.web.conftest import Browser
from tests.web.site import Site
from web import create_app


def broken(site: Site, viewer: Browser, error: Exception) -> TestClient:
    """The viewer's browser on a site where one service fails."""

    def fail() -> tuple[int, int, int]:
        raise error

    app = create_app(replace(site.web, progress=fail))
    cookies = {"nafuda_session": viewer.session}
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False, cookies=cookies)


def test_an_unforeseen_error_shows_a_number_and_nothing_else(
    site: Site, viewer: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    answer = broken(site, viewer, RuntimeError("secret detail")).get("/")
    assert answer.status_code == 500 and "secret detail" not in answer.text
    number = caplog.records[-1].getMessage().removeprefix("error ")
    assert len(number) == 8 and number in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_server_that_is_away_is_said_to_be_so(site: Site, viewer: Browser) -> None:
    answer = broken(site, viewer, TransientError("the index is away")).get("/")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "30" and "the index is away" in answer.text


def test_a_page_that_does_not_exist_leads_back(viewer: Browser) -> None:
    page = viewer.get("/no/such/page")
    assert page.status_code == 404 and "There is no such page" in page.text and 'href="/"' in page.text


def test_the_wrong_role_is_told_who_can_change_it(viewer: Browser) -> None:
    page = viewer.get("/people")
    assert page.status_code == 403 and "An admin can change your role" in page.text


def test_the_api_speaks_json_of_errors(viewer: Browser, stranger: Browser) -> None:
    assert viewer.get("/api/v1/images/77").json()["error"] == "not-found"
    assert stranger.get("/api/v1/status").status_code == 401
    assert viewer.get("/api/v2/nothing").json()["error"] == "http-404"


def test_every_answer_carries_the_security_headers(site: Site, viewer: Browser, stranger: Browser) -> None:
    static = f"/static/{viewer.client.app.state.digest}/css/base.css"  # type: ignore[attr-defined]
    for browser, path in (
        (viewer, "/"),
        (stranger, "/"),
        (viewer, "/nothing"),
        (stranger, "/health"),
        (stranger, static),
    ):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    assert viewer.get("/").headers["cache-control"] == "private, no-cache"
    assert "immutable" in stranger.get(static).headers["cache-control"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 303),
        ({"Origin": "http://testserver"}, 303),
    ],
)
def test_forms_of_other_sites_are_turned_away(headers: dict[str, str], status: int, viewer: Browser) -> None:
    from web.access import form_token

    fields = {"csrf": form_token(viewer.session), "theme": "dark"}
    assert viewer.client.post("/theme", data=fields, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [("nafuda.example", 200), ("nafuda.example:8420", 200), ("[::1]:80", 200), ("evil.example", 421)],
)
def test_only_known_hosts_are_answered(host: str, status: int, site: Site) -> None:
    client = TestClient(create_app(replace(site.web, allowed_hosts=("nafuda.example", "::1"))))
    assert client.get("/health", headers={"Host": host}).status_code == status


def test_readiness_says_what_is_wrong_to_this_machine_only(site: Site, admin: Browser) -> None:
    app = create_app(replace(site.web, ready=lambda: [Readiness("search", False, "start it")]))
    far, near = TestClient(app), TestClient(app, client=("127.0.0.1", 1))
    assert far.get("/ready").status_code == 503 and "detail" not in far.get("/ready").json()["checks"][0]
    assert near.get("/ready").json()["checks"][0]["detail"] == "start it"
    assert "detail" not in near.get("/ready", headers={"X-Forwarded-For": "8.8.8.8"}).json()["checks"][0]
    assert admin.get("/ready").json()["ready"] is True


def test_metrics_are_for_this_machine_and_admins(site: Site, admin: Browser, viewer: Browser) -> None:
    assert admin.get("/metrics").status_code == 200 and viewer.get("/metrics").status_code == 403
    near = TestClient(create_app(site.web), client=("127.0.0.1", 1))
    assert near.get("/metrics").status_code == 200
    assert near.get("/metrics", headers={"Forwarded": "for=8.8.8.8"}).status_code == 401


def test_when_the_accounts_cannot_be_asked_the_probes_still_answer(site: Site, stranger: Browser) -> None:
    stranger.client.cookies.set("nafuda_session", "x")
    site.services.pool.close()
    assert stranger.get("/health").status_code == 200
    assert stranger.get("/").status_code == 503


@pytest.mark.parametrize("path", ["/api/v1/facets?name=%00", "/upload/outcomes?key=uploads/%00", "/review?queue=%00"])
def test_a_nul_in_an_address_is_no_unforeseen_error(path: str, admin: Browser) -> None:
    assert admin.get(path).status_code in (200, 400)


def test_a_nul_in_a_form_is_no_unforeseen_error(site: Site, admin: Browser) -> None:
    assert admin.post("/review/claim", queue="\0").status_code in (303, 400)
