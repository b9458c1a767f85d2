"""The webhook: storage servers push their notifications here, and show that they know the secret."""

import hashlib
import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from schemas.errors import NotFoundError
from web.access import Services, UnknownSenderError

router = APIRouter()
PATH = "/api/v1/events"
BODY_BYTES = 1 << 20  # more is no notification that can be understood
_SCHEME = "bearer "
_SIGNED = "sha256="


def signature(secret: str, body: bytes) -> str:
    """What the header X-Nafuda-Signature must hold for a body."""
    return _SIGNED + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def from_a_sender(
    request: Request,
    services: Services,
    authorization: Annotated[str, Header()] = "",
    x_nafuda_signature: Annotated[str, Header()] = "",
) -> bytes:
    """The rule of this route: a body from somebody who knows the secret, be they signed in or not."""
    secret = services.events_secret
    if not secret:
        raise NotFoundError("The webhook is off: set NAFUDA_EVENTS_SECRET to have it.")
    if x_nafuda_signature:
        body = await request.body()
        if _same(x_nafuda_signature, signature(secret, body)):
            return body
    elif authorization.lower().startswith(_SCHEME) and _same(authorization[len(_SCHEME) :].strip(), secret):
        return await request.body()
    raise UnknownSenderError("Send the secret as the bearer token, or sign the body with it in X-Nafuda-Signature.")


def _same(given: str, right: str) -> bool:
    """In the same time, whatever is given."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())


@router.post(PATH)
async def take(services: Services, body: Annotated[bytes, Depends(from_a_sender)]) -> JSONResponse:
    """Takes one notification. It is in the database when this answers: as hints, or as a dead letter."""
    return JSONResponse(await run_in_threadpool(services.notified, body.decode("utf-8", "replace")))
