"""Puts the application together: routes, middleware, static files. Nothing is decided here about any page."""

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from schemas.errors import ConfigurationError
from schemas.services import WebServices
from web import api, direct, events, health, help, images, people, problems, review, search, session, similar, upload
from web.access import Rule, everybody
from web.problems import CatchAll
from web.render import STATIC, digest
from web.security import Doorkeeper, Headered

SUBJECTS = (session, search, images, similar, upload, direct, review, people, help, api, events, health)


class KeptFiles(StaticFiles):
    """Static files under an address that changes with their content, so browsers never ask twice."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def rule_of(route: BaseRoute) -> str | None:
    """The role that a route needs, "everybody", "sender" (who knows the webhook's secret), or None when nobody said."""
    if not isinstance(route, APIRoute):
        return None
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Rule):
            return dependency.call.role.value
        if dependency.call is everybody:
            return "everybody"
        if dependency.call is events.from_a_sender:
            return "sender"
    return None


def create_app(services: WebServices) -> FastAPI:
    """The pages and the API over these services. Raises ConfigurationError when a route has no rule."""
    app = FastAPI(title="Nafuda", version=services.version, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = services
    app.state.digest = digest(STATIC)
    for subject in SUBJECTS:
        app.router.routes.extend(subject.router.routes)
    for route in app.routes:
        if rule_of(route) is None:
            raise ConfigurationError(f"{route} says nothing of who may use it: give it a rule of web.access")
    app.mount(f"/static/{app.state.digest}", KeptFiles(directory=STATIC), name="static")
    problems.install(app)
    limits = {"/upload": services.uploads.request_bytes, events.PATH: events.BODY_BYTES}
    # The last one added is the outermost.
    app.add_middleware(CatchAll)
    app.add_middleware(Doorkeeper, hosts=services.allowed_hosts, limits=limits)
    app.add_middleware(Headered, https=services.secure_cookies)
    return app
