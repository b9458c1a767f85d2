"""Coming in, staying, and going."""  # R76

from dataclasses import replace
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from schemas.review import Role
from tests.web.conftest import MINUTE, Browser, field
from tests.web.site import PASSWORD, Site
from web import create_app


def sign_in(stranger: Browser, password: str, next: str = "/") -> tuple[int, str]:
    form = stranger.get(f"/sign-in?next={quote(next, safe='')}")
    answer = stranger.post("/sign-in", csrf=field(form, "csrf"), name="mia", password=password, next=next)
    return answer.status_code, answer.headers.get("location", "")


def test_the_right_password_leads_to_where_one_wanted_to_go(site: Site, stranger: Browser) -> None:
    site.accounts.create("mia", PASSWORD, Role.VIEWER)
    assert stranger.get("/help/search").headers["location"] == "/sign-in?next=%2Fhelp%2Fsearch"
    assert sign_in(stranger, PASSWORD, "/help/search") == (303, "/help/search")
    assert stranger.get("/help/search").status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(site: Site, stranger: Browser) -> None:
    unknown = sign_in(stranger, PASSWORD)
    site.accounts.create("mia", PASSWORD, Role.VIEWER)
    assert sign_in(stranger, "something else entirely") == unknown == (401, "")


def test_too_many_wrong_passwords_are_answered_with_a_pause(site: Site, stranger: Browser) -> None:
    site.accounts.create("mia", PASSWORD, Role.VIEWER)
    codes = [sign_in(stranger, f"wrong wrong {number}")[0] for number in range(7)]
    assert codes[0] == 401 and codes[-1] == 429


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/ok\r\nSet-Cookie: a=b"],
)
def test_signing_in_never_leads_to_another_site(target: str, site: Site, stranger: Browser) -> None:
    site.accounts.create("mia", PASSWORD, Role.VIEWER)
    assert sign_in(stranger, PASSWORD, target) == (303, "/")


def test_the_sessions_cookie_is_out_of_reach_for_scripts_and_other_sites(site: Site) -> None:
    site.accounts.create("mia", PASSWORD, Role.VIEWER)
    app = create_app(replace(site.web, secure_cookies=True))
    client = TestClient(app, base_url="https://testserver", follow_redirects=False)
    csrf = field(client.get("/sign-in"), "csrf")
    answer = client.post("/sign-in", data={"csrf": csrf, "name": "mia", "password": PASSWORD})
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-nafuda_session="))
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    assert "Domain" not in cookie and "max-age=31536000" in answer.headers["strict-transport-security"]


def test_a_one_time_link_survives_previews_and_works_once(site: Site, stranger: Browser) -> None:
    token = site.accounts.link("viewer", MINUTE)
    for _ in range(2):
        page = stranger.get(f"/sign-in/link?token={token}")
        assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    first = stranger.post("/sign-in/link", csrf=field(page, "csrf"), token=token)
    assert first.status_code == 303 and stranger.get("/").status_code == 200
    again = Browser(TestClient(stranger.client.app, follow_redirects=False))
    page = again.get("/sign-in/link?token=x")
    assert again.post("/sign-in/link", csrf=field(page, "csrf"), token=token).status_code == 401


def test_signing_out_ends_the_session_itself(site: Site, viewer: Browser) -> None:
    answer = viewer.post("/sign-out")
    assert answer.headers["clear-site-data"] == '"cache"'
    viewer.client.cookies.set("nafuda_session", viewer.session)
    assert viewer.get("/").headers["location"] == "/sign-in"


def test_the_theme_is_remembered(viewer: Browser) -> None:
    assert viewer.follow(viewer.post("/theme", theme="dark", next="/help/search")).status_code == 200
    assert 'data-theme="dark"' in viewer.get("/").text


def test_a_session_token_is_not_shown_on_any_page(viewer: Browser) -> None:
    assert viewer.session not in viewer.get("/").text
