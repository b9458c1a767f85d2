"""What is answered when something does not work: a status, a page with a next step, or JSON for programs."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import (
    ConflictError,
    NafudaError,
    NotFoundError,
    PermanentError,
    QueryError,
    RefusedError,
    TransientError,
)
from web.access import ForbiddenError, SignInNeededError, UnknownSenderError
from web.render import page
from web.security import TooMuchError

log = logging.getLogger(__name__)

STATUSES: tuple[tuple[type[NafudaError], int], ...] = (
    (UnknownSenderError, 401),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (ConflictError, 409),
    (QueryError, 400),
    (RefusedError, 422),
    (PermanentError, 400),
    (TransientError, 503),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person is told: a status, a stable code, and a sentence that says what to do."""

    status: int
    code: str
    message: str
    number: str = ""  # of an unforeseen error, to be found in the log


def problem_of(error: Exception) -> Problem:
    """How an error is told. An unforeseen one is logged under a number and shows nothing of itself."""
    if isinstance(error, TooMuchError):
        return Problem(413, "too-large", f"{error}. Send fewer or smaller files at once.")
    if isinstance(error, RequestValidationError):
        where = ", ".join(sorted({str(part["loc"][-1]) for part in error.errors() if part["loc"]}))
        return Problem(422, "bad-request", f"Cannot be understood: {where}. Check the address or the form.")
    if isinstance(error, HTTPException):
        return Problem(error.status_code, f"http-{error.status_code}", str(error.detail))
    if isinstance(error, NafudaError):
        status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
        return Problem(429 if error.code == "rate-limited" else status, error.code, str(error))
    number = secrets.token_hex(4)
    log.error("error %s", number, exc_info=error)
    return Problem(500, "unforeseen", "Something went wrong that we did not foresee.", number)


def speaks_json(request: Request) -> bool:
    """True for programs: the API, the probes, and whoever prefers JSON."""
    path = request.url.path
    return path.startswith(("/api/", "/health", "/ready", "/metrics")) or request.headers.get("accept", "").startswith(
        "application/json"
    )


def answer(request: Request, error: Exception) -> Response:
    """The answer to a request that failed."""
    if isinstance(error, SignInNeededError):
        return sign_in_first(request)
    found = problem_of(error)
    headers = {"Retry-After": "30"} if found.status in (429, 503) else {}
    if speaks_json(request):
        body = {"error": found.code, "message": found.message, "number": found.number}
        return JSONResponse(body, found.status, headers=headers)
    shown = page(request, "problem.html", "", status=found.status, problem=found, again=request.method == "GET")
    shown.headers.update(headers)
    return shown


def sign_in_first(request: Request) -> Response:
    """Programs get 401; people get the sign-in page and come back afterwards."""
    if speaks_json(request):
        body = {"error": "sign-in", "message": "Sign in first; the session's cookie opens the API.", "number": ""}
        return JSONResponse(body, 401)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(target, safe='')}" if request.method == "GET" and target != "/" else ""
    return RedirectResponse(f"/sign-in{back}", 303)


class CatchAll:
    """Turns an error that nothing else caught into an answer, inside the middleware that adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await answered(Request(scope), error)
            await response(scope, receive, send)


async def answered(request: Request, error: Exception) -> Response:
    """`answer`, but when even the page fails (the database is away) a plain sentence."""
    try:
        return await run_in_threadpool(answer, request, error)
    except (TransientError, SignInNeededError) as worse:
        log.warning("no page for %r: %s", error, worse)
        return JSONResponse(
            {"error": "unavailable", "message": "The site cannot reach its database; try again soon.", "number": ""},
            503,
        )


def install(app: FastAPI) -> None:
    """Answers to every kind of error, foreseen or not."""
    handler: Callable[[Request, Exception], object] = answered
    for kind in (NafudaError, SignInNeededError, TooMuchError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]
