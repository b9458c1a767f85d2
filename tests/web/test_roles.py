"""Who may do what: every route against every role."""  # R76

import pytest
from fastapi.routing import APIRoute

from schemas.review import Role
from tests.web.conftest import Browser, Browsers
from tests.web.site import Site
from web import create_app

ANYBODY, SENDER, VIEWER, MODERATOR, ADMIN = "anybody", "who knows the secret", Role.VIEWER, Role.MODERATOR, Role.ADMIN
RULES: dict[tuple[str, str], str] = {
    ("GET", "/sign-in"): ANYBODY,
    ("POST", "/sign-in"): ANYBODY,
    ("GET", "/sign-in/link"): ANYBODY,
    ("POST", "/sign-in/link"): ANYBODY,
    ("POST", "/sign-out"): VIEWER,
    ("POST", "/theme"): VIEWER,
    ("GET", "/"): VIEWER,
    ("GET", "/progress"): VIEWER,
    ("GET", "/images/{record}"): VIEWER,
    ("GET", "/images/{record}/raw"): VIEWER,
    ("GET", "/meaning"): VIEWER,
    ("GET", "/api/v1/meaning"): VIEWER,
    ("GET", "/api/v1/images/{record}/character"): VIEWER,
    ("GET", "/api/v1/images/{record}/market"): VIEWER,
    ("GET", "/api/v1/images/{record}/similar"): VIEWER,
    ("GET", "/images/{record}/view"): VIEWER,
    ("GET", "/images/{record}/thumbnail/{sha256}"): VIEWER,
    ("POST", "/images/{record}/tags"): MODERATOR,
    ("POST", "/images/{record}/retry"): MODERATOR,
    ("GET", "/upload"): MODERATOR,
    ("POST", "/upload"): MODERATOR,
    ("GET", "/upload/outcomes"): MODERATOR,
    ("POST", "/api/v1/uploads"): MODERATOR,
    ("POST", "/api/v1/uploads/stored"): MODERATOR,
    ("GET", "/images/{record}/original"): MODERATOR,
    ("GET", "/review"): MODERATOR,
    ("POST", "/review/claim"): MODERATOR,
    ("GET", "/review/items/{item}"): MODERATOR,
    ("POST", "/review/items/{item}/decide"): MODERATOR,
    ("POST", "/review/items/{item}/skip"): MODERATOR,
    ("POST", "/review/undo"): MODERATOR,
    ("GET", "/people"): ADMIN,
    ("POST", "/people"): ADMIN,
    ("POST", "/people/role"): ADMIN,
    ("POST", "/people/disable"): ADMIN,
    ("POST", "/people/enable"): ADMIN,
    ("POST", "/people/link"): ADMIN,
    ("GET", "/help/search"): VIEWER,
    ("GET", "/help/models"): VIEWER,
    ("GET", "/api/v1/search"): VIEWER,
    ("GET", "/api/v1/facets"): VIEWER,
    ("GET", "/api/v1/images/{record}"): VIEWER,
    ("GET", "/api/v1/status"): VIEWER,
    ("POST", "/api/v1/events"): SENDER,
    ("GET", "/api/v1/suggestions"): VIEWER,
    ("GET", "/health"): ANYBODY,
    ("GET", "/ready"): ANYBODY,
    ("GET", "/metrics"): ADMIN,
}
FIELDS = {
    "tag": "smile",
    "action": "add",
    "stage": "tagging",
    "verdict": "keep",
    "lease": "none",
    "name": "nobody",
    "role": "viewer",
    "password": "",
    "token": "none",
    "theme": "auto",
    "size": "10",
    "type": "image/png",
    "key": "uploads/none.png",
}


def test_every_route_has_a_rule_here(site: Site) -> None:
    routes = [route for route in create_app(site.web).routes if isinstance(route, APIRoute)]
    assert {(method, route.path) for route in routes for method in route.methods or ()} == set(RULES)


@pytest.mark.parametrize("role", [None, *Role])
def test_a_route_is_open_to_its_roles_and_to_nobody_else(role: Role | None, site: Site, browser: Browsers) -> None:
    site.add("a.png")
    for (method, path), needed in RULES.items():
        who = browser(role)
        address = path.format(record=1, item=1, sha256="0" * 64) + ("?token=x" if path.endswith("/link") else "")
        answer = who.get(address) if method == "GET" else who.post(address, **FIELDS)
        if needed == ANYBODY:
            continue
        if needed == SENDER:  # no session is worth anything there
            assert answer.status_code == 401, (role, answer.text)
        elif role is None:
            sent_away = answer.status_code == 401 or answer.headers.get("location", "").startswith("/sign-in")
            assert sent_away, (method, path, answer.status_code)
        else:
            assert (answer.status_code == 403) != role.includes(Role(needed)), (method, path, answer.status_code)


def test_no_form_is_taken_without_its_token(site: Site, admin: Browser) -> None:
    record = site.add("a.png")
    for (method, path), needed in RULES.items():
        if method == "POST" and needed != SENDER:
            for token in ("", "0" * 40):
                address = path.format(record=record, item=1)
                answer = admin.post(address, csrf=token, **FIELDS)
                assert answer.status_code == 403, (path, token, answer.text)
