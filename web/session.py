"""Signing in and out, one-time links, and the choice of theme."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from schemas.services import WebServices
from web.access import (
    EVERYBODY,
    FORM,
    VISITOR,
    Services,
    SignedIn,
    local_path,
    session_cookie,
    set_cookie,
    visit_of,
    visitor_token,
)
from web.render import THEME, page

router = APIRouter()
YEAR = 365 * 86400


def sign_in_page(
    request: Request, services: WebServices, *, status: int = 200, template: str = "sign_in.html", **context: object
) -> Response:
    """A page for somebody not signed in yet, with a form token of their own."""
    cookies: dict[str, str] = {}
    visit = visit_of(request, services)
    csrf = visit.csrf if visit else visitor_token(request, cookies)
    response = page(request, template, "", status=status, **context, csrf=csrf)
    for name, value in cookies.items():
        set_cookie(response, services, name, value, None)
    return response


def enter(services: WebServices, session: str, target: str) -> Response:
    """Begins a session: a fresh cookie, and the visitor's one is forgotten."""
    response = RedirectResponse(local_path(target), 303)
    seconds = int(services.session_length.total_seconds())
    set_cookie(response, services, session_cookie(services), session, seconds)
    response.delete_cookie(VISITOR, path="/")
    return response


@router.get("/sign-in", dependencies=[EVERYBODY])
def sign_in_form(request: Request, services: Services, next: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """The password form; who is signed in already goes on."""
    if visit_of(request, services) is not None:
        return RedirectResponse(local_path(next), 303)
    return sign_in_page(request, services, target=local_path(next), name="", wrong=False)


@router.post("/sign-in", dependencies=[EVERYBODY, FORM])
def sign_in(
    request: Request,
    services: Services,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Begins a session. A wrong name and a wrong password get the same answer."""
    address = request.client.host if request.client else ""
    session = services.accounts.sign_in(name.strip(), password, address)
    if session is None:
        return sign_in_page(request, services, status=401, target=local_path(next), name=name, wrong=True)
    return enter(services, session, next)


@router.get("/sign-in/link", dependencies=[EVERYBODY])
def link_page(request: Request, services: Services, token: Annotated[str, Query(max_length=200)]) -> Response:
    """Redeems nothing: programs that preview links must not use it up. The page's script sends the form at once."""
    known = visit_of(request, services)
    response = sign_in_page(request, services, template="link.html", token=token, known=known)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/sign-in/link", dependencies=[EVERYBODY, FORM])
def redeem_link(request: Request, services: Services, token: Annotated[str, Form(max_length=200)]) -> Response:
    """Exchanges the token for a session, once."""
    session = services.accounts.redeem(token)
    if session is None:
        return sign_in_page(request, services, status=401, template="link_over.html")
    return enter(services, session, "/")


@router.post("/sign-out", dependencies=[FORM])
def sign_out(visit: SignedIn, services: Services) -> Response:
    """Ends the session and asks the browser to forget the pictures that it kept."""
    services.accounts.sign_out(visit.session)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(
        session_cookie(services), path="/", httponly=True, samesite="lax", secure=services.secure_cookies
    )
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.post("/theme", dependencies=[FORM])
def choose_theme(
    visit: SignedIn,
    services: Services,
    theme: Annotated[str, Form(pattern="^(auto|light|dark)$")],
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Remembers light, dark or the system's choice in a cookie."""
    response = RedirectResponse(local_path(next), 303)
    set_cookie(response, services, THEME, theme, YEAR)
    return response
