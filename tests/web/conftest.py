"""A site over a fresh database, and browsers signed in to it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from schemas.review import Role
from tests.web.site import Site
from web import create_app
from web.access import form_token

MINUTE = timedelta(minutes=1)


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[Site]:
    """Three people, no image yet."""
    made = Site(tmp_path / "site", database)
    for role in Role:
        made.accounts.create(role.value, None, role)
    yield made
    made.close()


@dataclass
class Browser:
    """A client that keeps its cookies and sends forms with their token; it runs no scripts."""

    client: TestClient
    session: str = ""

    def get(self, path: str, **headers: str) -> Response:
        answer: Response = self.client.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        return answer

    def post(self, path: str, csrf: str | None = None, **fields: object) -> Response:
        token = form_token(self.session) if csrf is None else csrf
        answer: Response = self.client.post(path, data={"csrf": token, **fields})
        return answer

    def follow(self, response: Response) -> Response:
        assert response.status_code == 303, response.text
        answer: Response = self.client.get(urljoin(str(response.url), response.headers["location"]))
        return answer


Browsers = Callable[[Role | None], Browser]


@pytest.fixture
def browser(site: Site) -> Browsers:
    """Makes a browser signed in with a role, or not at all."""
    app = create_app(site.web)

    def signed_in(role: Role | None) -> Browser:
        client = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
        if role is None:
            return Browser(client)
        session = site.accounts.redeem(site.accounts.link(role.value, MINUTE))
        assert session is not None
        client.cookies.set("nafuda_session", session)
        return Browser(client, session)

    return signed_in


@pytest.fixture
def viewer(browser: Browsers) -> Browser:
    return browser(Role.VIEWER)


@pytest.fixture
def moderator(browser: Browsers) -> Browser:
    return browser(Role.MODERATOR)


@pytest.fixture
def admin(browser: Browsers) -> Browser:
    return browser(Role.ADMIN)


@pytest.fixture
def stranger(browser: Browsers) -> Browser:
    return browser(None)


def records_on(page: Response) -> list[int]:
    """The records of the grid, in order."""
    return [int(number) for number in re.findall(r'data-record="(\d+)"', page.text)]


def field(page: Response, name: str) -> str:
    """The value of the first form field of this name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, f"{name} is not on the page"
    return found[1]
