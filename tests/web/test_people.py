"""People: who may come in, by which role."""  # R76

import re
from html import unescape

from schemas.review import Role
from tests.web.conftest import Browser, Browsers, field
from tests.web.site import Site


def test_somebody_new_comes_in_by_a_one_time_link(site: Site, admin: Browser, stranger: Browser) -> None:
    assert admin.post("/people", name="mia", role="moderator").status_code == 303
    page = admin.post("/people/link", name="mia")
    assert page.headers["cache-control"] == "no-store"
    found = re.search(r'value="(http[^"]+/sign-in/link\?token=[^"]+)"', page.text)
    assert found is not None
    address = unescape(found[1]).removeprefix("http://testserver")
    form = stranger.get(address)
    stranger.post("/sign-in/link", csrf=field(form, "csrf"), token=field(form, "token"))
    assert stranger.get("/review").status_code == 200


def test_a_changed_role_ends_the_sessions(admin: Browser, viewer: Browser) -> None:
    assert admin.post("/people/role", name="viewer", role="moderator").status_code == 303
    assert viewer.get("/").headers["location"] == "/sign-in"


def test_somebody_shut_out_is_out_at_once_and_may_come_back(site: Site, admin: Browser, viewer: Browser) -> None:
    admin.post("/people/disable", name="viewer")
    assert viewer.get("/").headers["location"] == "/sign-in"
    assert "(shut out)" in admin.get("/people").text
    admin.post("/people/enable", name="viewer")
    assert "(shut out)" not in admin.get("/people").text


def test_nobody_locks_themselves_or_the_last_admin_out(admin: Browser) -> None:
    assert admin.post("/people/role", name="admin", role="viewer").status_code == 409
    assert admin.post("/people/disable", name="admin").status_code == 409
    assert admin.get("/people").status_code == 200


def test_a_taken_name_and_a_weak_password_are_explained(admin: Browser) -> None:
    assert admin.post("/people", name="viewer", role="viewer").status_code == 409
    assert admin.post("/people", name="mia", role="viewer", password="123").status_code == 400


def test_a_name_is_text_and_never_markup(site: Site, admin: Browser, browser: Browsers) -> None:
    admin.post("/people", name="<b>x</b>", role="viewer")
    assert "<b>x</b>" not in admin.get("/people").text
    assert {person.role for person in site.accounts.people()} == set(Role)
