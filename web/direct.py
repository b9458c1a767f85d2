"""Files past the pages: forms that a store takes from a browser or a script itself, and originals as they were put."""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from schemas.errors import NotFoundError, PermanentError, RefusedError
from schemas.events import EventKind, ObjectEvent
from schemas.images import ObjectHead
from schemas.record import Record
from schemas.services import WebServices
from web.access import FORM, Moderator, Services
from web.images import RecordId, seen
from web.render import filesize
from web.upload import PREFIX, safe_name

router = APIRouter()
_PIECE = 1 << 16  # bytes
_KIND = re.compile(r"image/(?!svg)[a-z0-9][a-z0-9.+-]{0,40}")


def new_key(sent: str, today: datetime) -> str:
    """A key below the uploads that nobody has, and that nobody else's upload can have."""
    return f"{PREFIX}{today:%Y/%m/%d}/{secrets.token_hex(8)}/{safe_name(sent)}"


@router.post("/api/v1/uploads", dependencies=[FORM])
def sign_upload(
    visit: Moderator,
    services: Services,
    name: Annotated[str, Form(max_length=500)],
    size: Annotated[int, Form(ge=1)],
    kind: Annotated[str, Form(alias="type", max_length=60)],
) -> JSONResponse:
    """A form with which one file of this size and type can be put into the store, once and soon."""
    if services.signer is None:
        raise PermanentError("Files are sent through this site: send it to /upload.", code="not-direct")
    limit = services.uploads.file_bytes
    if size > limit:
        reason = f"It has {filesize(size)}, at most {filesize(limit)} are taken: make it smaller."
        raise RefusedError(reason, code="too-large")
    if not _KIND.fullmatch(kind):
        raise RefusedError(f"{kind!r} is no type of a picture: say one such as image/png.", code="not-an-image")
    key = new_key(name, datetime.now(UTC))
    form = services.signer.upload(services.uploads.bucket, key, size, kind)
    answer = {"key": key, "url": form.url, "fields": dict(form.fields), "until": form.until.isoformat()}
    return JSONResponse(answer, 201, headers={"Cache-Control": "no-store"})


@router.post("/api/v1/uploads/stored", dependencies=[FORM])
def stored(visit: Moderator, services: Services, key: Annotated[str, Form(max_length=1024)]) -> JSONResponse:
    """Says that a file was sent: it is looked at now, not when the store's own event or the next comparison comes."""
    bucket = services.uploads.bucket
    head = services.objects.head(bucket, key) if key.startswith(PREFIX) else None
    if head is None:
        raise NotFoundError(f"There is no upload {key!r}: send the file with its form first.")
    taken = services.stored(
        [ObjectEvent(EventKind.CREATED, bucket, key, head.version, "upload", etag=head.etag, size=head.size)]
    )
    return JSONResponse({"key": key, "taken": taken}, 202)


@router.get("/images/{record}/original")
def original(record: RecordId, visit: Moderator, services: Services) -> Response:
    """The file as it was put, with all its metadata, to be saved: from the store itself where it signs for that."""
    found = seen(services, visit, record)
    head = _lies(services, found)
    name = safe_name(head.key)
    if services.signer is not None:
        address = services.signer.download(head.bucket, head.key, head.version, name)
        return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
    headers = {"Content-Disposition": _attachment(name), "Content-Length": str(head.size), "Cache-Control": "no-store"}
    return StreamingResponse(_pieces(services, head), media_type="application/octet-stream", headers=headers)


def _lies(services: WebServices, record: Record) -> ObjectHead:
    """An object that holds the record's bytes, as far as its size tells."""
    for place in record.places:
        head = services.objects.head(place.bucket, place.key, place.version)
        if head is not None and head.size == record.bytes:
            return head
    raise NotFoundError(f"The file of image {record.id} is gone, or another one lies in its place.")


def _pieces(services: WebServices, head: ObjectHead) -> Iterator[bytes]:
    with services.objects.open(head.bucket, head.key) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
