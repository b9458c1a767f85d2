"""Who may come in: accounts, their roles and one-time links. For admins only."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from schemas.errors import ConflictError
from schemas.review import Role
from web.access import FORM, Admin, Services
from web.render import page

router = APIRouter()
LINK_VALID = timedelta(hours=24)
Name = Annotated[str, Form(min_length=1, max_length=100)]


@router.get("/people")
def people_page(request: Request, visit: Admin, services: Services) -> Response:
    """Everybody, and the form for one more."""
    return page(request, "people.html", "people", people=services.accounts.people(), roles=list(Role), link=None)


@router.post("/people", dependencies=[FORM])
def create(
    visit: Admin,
    services: Services,
    name: Name,
    role: Annotated[Role, Form()],
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Makes an account; without a password it is entered by a one-time link."""
    services.accounts.create(name.strip(), password or None, role, visit.person.name)
    return RedirectResponse("/people", 303)


@router.post("/people/role", dependencies=[FORM])
def set_role(visit: Admin, services: Services, name: Name, role: Annotated[Role, Form()]) -> Response:
    """Changes a role. One's own stays, so that nobody locks themselves out by a slip."""
    if name.casefold() == visit.person.name.casefold():
        raise ConflictError("This is your own role: ask another admin to change it.")
    services.accounts.set_role(name, role, visit.person.name)
    return RedirectResponse("/people", 303)


@router.post("/people/disable", dependencies=[FORM])
def disable(visit: Admin, services: Services, name: Name) -> Response:
    """Shuts somebody out at once."""
    services.accounts.disable(name, visit.person.name)
    return RedirectResponse("/people", 303)


@router.post("/people/enable", dependencies=[FORM])
def enable(visit: Admin, services: Services, name: Name) -> Response:
    """Lets somebody in again."""
    services.accounts.enable(name, visit.person.name)
    return RedirectResponse("/people", 303)


@router.post("/people/link", dependencies=[FORM])
def make_link(request: Request, visit: Admin, services: Services, name: Name) -> Response:
    """A link that signs this person in once; shown once, kept nowhere."""
    token = services.accounts.link(name, LINK_VALID, visit.person.name)
    link = str(request.url_for("link_page").include_query_params(token=token))
    people = services.accounts.people()
    shown = page(request, "people.html", "people", people=people, roles=list(Role), link=(name, link))
    shown.headers["Cache-Control"] = "no-store"
    return shown
