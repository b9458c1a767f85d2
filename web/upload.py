"""Taking files in: each is streamed into the object store, and its way is shown until it can be searched."""

import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from schemas.errors import NafudaError, PermanentError
from schemas.events import EventKind, ObjectEvent
from schemas.ledger import Outcome
from schemas.services import WebServices
from web.access import Moderator, Services, check_token
from web.render import filesize, page
from web.security import policy

log = logging.getLogger(__name__)
router = APIRouter()
PREFIX = "uploads/"
TRIES = 1000
_UNSAFE = re.compile(r"[^\w.()+ -]+", re.UNICODE)
Keys = Annotated[list[str], Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Taken:
    """One file of an upload: its name as sent, and its key, or why it was refused and what to do."""

    name: str
    key: str = ""
    reason: str = ""


def safe_name(sent: str) -> str:
    """The last part of a sent name without anything that a path, a shell or a page could trip over."""
    last = re.split(r"[/\\]", sent)[-1]
    clean = _UNSAFE.sub("_", unicodedata.normalize("NFC", last)).strip(" .")
    stem, dot, suffix = clean.rpartition(".")
    if not dot:
        return clean[:80] or "file"
    return f"{stem[:80] or 'file'}.{suffix[:10].lower()}"


def free_key(services: WebServices, name: str, today: datetime, taken: set[str]) -> str:
    """uploads/YYYY/MM/DD/<name>, with a number before the suffix when that key is in use."""
    folder = f"{PREFIX}{today:%Y/%m/%d}/"
    stem, dot, suffix = name.rpartition(".")
    for number in range(1, TRIES):
        numbered = f"-{number}" if number > 1 else ""
        key = folder + (f"{stem}{numbered}.{suffix}" if dot else f"{name}{numbered}")
        if key not in taken and services.objects.head(services.uploads.bucket, key) is None:
            return key
    raise PermanentError(f"There are {TRIES} files named {name!r} today: rename it and send it again.")


def take(services: WebServices, file: UploadFile, keys: set[str]) -> Taken:
    """Stores one file, or says why not."""
    sent = file.filename or "file"
    limit = services.uploads.file_bytes
    size = file.size or 0
    if size == 0:
        return Taken(sent, reason="It is empty: choose the file again.")
    if size > limit:
        return Taken(sent, reason=f"It has {filesize(size)}, at most {filesize(limit)} are taken: make it smaller.")
    try:
        key = free_key(services, safe_name(sent), datetime.now(UTC), keys)
        keys.add(key)
        head = services.objects.put(services.uploads.bucket, key, file.file, file.content_type or "")
    except NafudaError as error:
        return Taken(sent, reason=str(error))
    services.stored(
        [ObjectEvent(EventKind.CREATED, head.bucket, head.key, head.version, "upload", etag=head.etag, size=head.size)]
    )
    return Taken(sent, key)


def take_all(services: WebServices, files: Sequence[UploadFile]) -> list[Taken]:
    """Every file in turn; those beyond the number that is taken at once are refused."""
    keys: set[str] = set()
    allowed = services.uploads.files
    taken = [take(services, file, keys) for file in files[:allowed]]
    late = f"Only {allowed} files are taken at once: send it with the next ones."
    return taken + [Taken(file.filename or "file", reason=late) for file in files[allowed:]]


def outcomes(services: WebServices, keys: Sequence[str]) -> list[Outcome]:
    """What became of uploads so far, in the order asked for. Keys outside of the uploads are not answered."""
    bucket = services.uploads.bucket
    asked = [key for key in keys if key.startswith(PREFIX) and ".." not in key.split("/")]
    known = {found.key: found for found in services.outcomes([(bucket, key) for key in asked])}
    return [known.get(key) or Outcome(bucket, key, None, "pending", "") for key in asked]


@router.get("/upload")
def upload_page(request: Request, visit: Moderator, services: Services, key: Keys = []) -> Response:  # noqa: B006
    """The form; with `key` also how far these uploads are, for browsers without scripts."""
    found = outcomes(services, key)
    return _page(request, services, taken=[], outcomes=found, keys=key)


def direct_origin(services: WebServices) -> str:
    """The store that browsers send files to themselves; "" where there is none, or none that can be signed for."""
    if services.signer is None:
        return ""
    try:
        return services.signer.origin(services.uploads.bucket)
    except NafudaError as error:
        log.warning("uploads come through the pages: %s", error)
        return ""


def _page(request: Request, services: WebServices, *, status: int = 200, **context: object) -> Response:
    """The page, whose script may send to the store's origin and to no other."""
    direct = direct_origin(services)
    made = page(request, "upload.html", "upload", status=status, limits=services.uploads, direct=direct, **context)
    if direct:
        made.headers["Content-Security-Policy"] = policy(direct)
    return made


@router.post("/upload")
async def upload(request: Request, visit: Moderator, services: Services) -> Response:
    """Takes files. The body is parsed here, after the role was checked, and goes to disk, not to memory."""
    token = request.headers.get("x-csrf-token", "")
    if token:
        await run_in_threadpool(check_token, request, services, token)
    async with request.form(max_files=services.uploads.files + 50, max_fields=50) as form:
        if not token:
            await run_in_threadpool(check_token, request, services, str(form.get("csrf", "")))
        files = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
        taken = await run_in_threadpool(take_all, services, files)
    if request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse([{"name": one.name, "key": one.key, "reason": one.reason} for one in taken])
    return await run_in_threadpool(taken_page, request, services, taken)


def taken_page(request: Request, services: WebServices, taken: Sequence[Taken]) -> Response:
    """What was taken and what refused, for browsers without scripts."""
    keys = [one.key for one in taken if one.key]
    refused = [one for one in taken if one.reason]
    status = 200 if keys or not taken else 422
    return _page(request, services, status=status, taken=refused, outcomes=outcomes(services, keys), keys=keys)


@router.get("/upload/outcomes")
def upload_outcomes(visit: Moderator, services: Services, key: Keys = []) -> JSONResponse:  # noqa: B006
    """How far uploads are, for the page's script."""
    found = outcomes(services, key)
    return JSONResponse([{"key": o.key, "record": o.record, "outcome": o.outcome, "reason": o.reason} for o in found])
