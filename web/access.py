"""Who is asking and what they may do: sessions, the role rule of each route, and the token that forms carry."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Form, Header, Request
from starlette.responses import Response

from schemas.errors import PermanentError
from schemas.record import Record, Visibility
from schemas.review import Person, Role
from schemas.search import Viewer
from schemas.services import WebServices

VISITOR = "nafuda_visitor"


class SignInNeededError(Exception):
    """Nobody is signed in; pages lead to the sign-in page, the API answers 401."""


class ForbiddenError(PermanentError):
    """Signed in, but without the role that this needs."""

    code = "forbidden"


class StaleFormError(ForbiddenError):
    """The form's token does not belong to this session: it was opened before signing in, or is not ours."""

    code = "stale-form"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody signed in, the session's token, and the token that their forms must carry."""

    person: Person
    session: str
    csrf: str

    @property
    def moderates(self) -> bool:
        """May see what is held and may change records."""
        return self.person.role.includes(Role.MODERATOR)

    def may_see(self, record: Record) -> bool:
        """Viewers see what is shown; moderators see what is held or removed too."""
        return self.moderates or record.visibility is Visibility.SHOWN


class UnknownSenderError(PermanentError):
    """A notification came from somebody who does not show that they know the secret."""

    code = "unknown-sender"


def services_of(request: Request) -> WebServices:
    """The ports this application was made with."""
    return cast(WebServices, request.app.state.services)


Services = Annotated[WebServices, Depends(services_of)]


def session_cookie(services: WebServices) -> str:
    """The cookie's name; the prefix makes browsers insist on Secure, Path=/ and no Domain."""
    return "__Host-nafuda_session" if services.secure_cookies else "nafuda_session"


def form_token(secret: str) -> str:
    """A form token that belongs to a session or visitor cookie and does not reveal it."""
    return hashlib.sha256(b"nafuda form\0" + secret.encode()).hexdigest()[:40]


def visit_of(request: Request, services: WebServices) -> Visit | None:
    """The visit behind a request, or None; asked once a request."""
    known = getattr(request.state, "visit", None)
    if isinstance(known, Visit):
        return known
    session = request.cookies.get(session_cookie(services), "")
    person = services.accounts.person(session) if session else None
    if person is None or person.disabled:
        return None
    request.state.visit = Visit(person, session, form_token(session))
    return cast(Visit, request.state.visit)


class Rule:
    """Who may use a route. Every route has exactly one (`create_app` refuses to start otherwise)."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def __call__(self, request: Request, services: Services) -> Visit:
        visit = visit_of(request, services)
        if visit is None:
            raise SignInNeededError
        if not visit.person.role.includes(self.role):
            raise ForbiddenError(
                f"This is for the role {self.role}; {visit.person.name} has the role {visit.person.role}."
            )
        return visit


def everybody() -> None:
    """The rule of routes that anybody may use."""


EVERYBODY = Depends(everybody)
SignedIn = Annotated[Visit, Depends(Rule(Role.VIEWER))]
Moderator = Annotated[Visit, Depends(Rule(Role.MODERATOR))]
Admin = Annotated[Visit, Depends(Rule(Role.ADMIN))]


def check_token(request: Request, services: WebServices, token: str) -> None:
    """Raises StaleFormError unless the token belongs to this session (or to this not yet signed-in visitor).

    SignInNeededError when there is neither: the session ended while the page lay open.
    """
    visit = visit_of(request, services)
    secret = visit.session if visit else request.cookies.get(VISITOR, "")
    if not secret:
        raise SignInNeededError
    if not hmac.compare_digest(form_token(secret).encode(), token.encode()):
        raise StaleFormError("This form is out of date: go back, reload the page and send it again.")


def form_checked(
    request: Request,
    services: Services,
    csrf: Annotated[str, Form()] = "",
    x_csrf_token: Annotated[str, Header()] = "",
) -> None:
    """Dependency of every route that takes a form."""
    check_token(request, services, x_csrf_token or csrf)


FORM = Depends(form_checked)


def visitor_token(request: Request, response_cookies: dict[str, str]) -> str:
    """The form token of somebody not signed in; a new visitor's cookie is put into `response_cookies`."""
    secret = request.cookies.get(VISITOR) or secrets.token_urlsafe(24)
    response_cookies[VISITOR] = secret
    return form_token(secret)


def set_cookie(response: Response, services: WebServices, name: str, value: str, seconds: int | None) -> None:
    """A cookie that scripts cannot read and other sites cannot send with their forms."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=services.secure_cookies
    )


def local_path(target: str) -> str:
    """`target` when it is a path on this site, else "/": never a way to send somebody elsewhere."""
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if safe and target.isprintable() else "/"


def viewer_of(visit: Visit) -> Viewer:
    """For whom is searched: moderators find what is held or removed too."""
    return Viewer(sees_held=visit.moderates)
