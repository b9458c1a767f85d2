"""For machines that watch: is the process alive, may traffic be sent here, and the figures."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from schemas.review import Role
from web.access import EVERYBODY, ForbiddenError, Services, SignInNeededError, services_of, visit_of

router = APIRouter()
LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def is_local(request: Request) -> bool:
    """True for a program on this machine that came here directly, not through a proxy."""
    direct = not any(name in request.headers for name in FORWARDED)
    return direct and request.client is not None and request.client.host in LOOPBACK


def is_trusted(request: Request) -> bool:
    """On this machine, or an admin."""
    visit = visit_of(request, services_of(request))
    return is_local(request) or (visit is not None and visit.person.role.includes(Role.ADMIN))


@router.get("/health", dependencies=[EVERYBODY])
def health() -> PlainTextResponse:
    """The process answers; nothing else is asked."""
    return PlainTextResponse("ok\n")


@router.get("/ready", dependencies=[EVERYBODY])
def ready(request: Request, services: Services) -> JSONResponse:
    """Everything that must work, with 503 when something does not. Details only to this machine and admins."""
    checks, trusted = services.ready(), is_trusted(request)
    told = [{"name": check.name, "ok": check.ok, **({"detail": check.detail} if trusted else {})} for check in checks]
    well = all(check.ok for check in checks)
    return JSONResponse({"ready": well, "checks": told}, 200 if well else 503)


@router.get("/metrics", dependencies=[EVERYBODY])
def metrics(request: Request, services: Services) -> Response:
    """Prometheus text, for this machine and for admins."""
    if not is_trusted(request):
        if visit_of(request, services) is None:
            raise SignInNeededError
        raise ForbiddenError("Metrics are for admins and for programs on this machine.")
    return Response(services.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
