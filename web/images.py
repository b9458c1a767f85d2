"""One image: its page, its pictures, what people say of its tags, and trying failed work again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from schemas.errors import NotFoundError, PermanentError
from schemas.record import DroppedTag, Record, Score, Tag
from schemas.scores import ADVICE, KINDS, Better
from schemas.services import WebServices
from web.access import FORM, Moderator, Services, SignedIn, Visit
from web.boxes import labelled
from web.categories import CATEGORIES, rank, tag_name
from web.meaning import strips
from web.raw import told
from web.render import page
from web.search import address

router = APIRouter()
RecordId = Annotated[int, Path(ge=1, le=2**62)]
KEPT = "private, max-age=604800, immutable"
_ABSENT = "There is no image {}, or not any more."


@dataclass(frozen=True, slots=True)
class TagGroup:
    """Tags of one category, surest first."""

    category: str
    tags: tuple[Tag, ...]


def seen(services: WebServices, visit: Visit, record: int) -> Record:
    """The record, or NotFoundError for those who may not see it: they do not learn that it exists.

    Flags are between moderators: others get the record without them.
    """
    try:
        found = services.records.record(record)
    except NotFoundError:
        raise NotFoundError(_ABSENT.format(record)) from None
    if not visit.may_see(found):
        raise NotFoundError(_ABSENT.format(record))
    return found if visit.moderates else replace(found, flags=())


def tag_groups(tags: Sequence[Tag]) -> list[TagGroup]:
    """Tags by category in the usual order, a person's word before any model's."""
    ordered = sorted(tags, key=lambda t: (rank(t.category), -(1.0 if t.confidence is None else t.confidence), t.name))
    grouped = groupby(ordered, key=lambda tag: tag.category)
    return [TagGroup(category, tuple(found)) for category, found in grouped]


def alt_text(record: Record) -> str:
    """What the picture shows, for those who cannot see it."""
    return record.alt_text or f"image {record.id}, not described yet"


@dataclass(frozen=True, slots=True)
class Figure:
    """A score as it is shown: what it is, its range, which end is good, and its place in the range in percent."""

    title: str
    value: float
    source: str
    scale: str
    meaning: str
    share: float


def figures_of(record: Record) -> list[Figure]:
    """The record's scores; a bar is always full where the picture is best."""
    return [_figure(score) for score in record.scores if score.kind in KINDS]


def _figure(score: Score) -> Figure:
    kind = KINDS[score.kind]
    share = min(1.0, max(0.0, (score.value - kind.low) / (kind.high - kind.low)))
    best = {
        Better.HIGH: f"{kind.high:g} is best",
        Better.LOW: f"{kind.low:g} is best",
        Better.NEITHER: "no end is best",
    }
    scale = f"{kind.low:g} to {kind.high:g}, {best[kind.better]}"
    full = 1 - share if kind.better is Better.LOW else share
    return Figure(kind.title, score.value, score.source, scale, kind.meaning, round(full * 100, 1))


def said_by_people(dropped: Sequence[DroppedTag]) -> list[DroppedTag]:
    """Tags that a person took away: these can be taken back."""
    return [tag for tag in dropped if tag.reason == "removed-by-person"]


@router.get("/images/{record}")
def image_page(
    request: Request,
    record: RecordId,
    visit: SignedIn,
    services: Services,
    came_from: Annotated[str, Query(alias="from", max_length=2000)] = "",
) -> Response:
    """Everything that is known about one image. from: the query whose hit it was, for the way back."""
    found = seen(services, visit, record)
    removed = said_by_people(found.dropped)
    return page(
        request,
        "image.html",
        "search",
        query=came_from,
        back=address(came_from),
        record=found,
        boxes=labelled(found.detections, found.width, found.height),
        groups=tag_groups(found.tags),
        removed=removed,
        dropped=[tag for tag in found.dropped if tag not in removed],
        alt=alt_text(found),
        figures=figures_of(found),
        market=services.market(found),
        advice=ADVICE.get(found.ladder or "", ""),
        strips=strips(services, visit, record),
        categories=[name for name in CATEGORIES if name not in ("rating", "object")],
        events=services.desk.history(record) if visit.moderates else [],
    )


@router.get("/images/{record}/raw")
def raw_results(record: RecordId, visit: SignedIn, services: Services) -> JSONResponse:
    """What every model said, before thresholds and people."""
    found = seen(services, visit, record)
    return JSONResponse([told(result) for result in services.results.of_image(found.image)])


def picture(request: Request, body: bytes | None, tag: str, cache: str) -> Response:
    """A JPEG with its ETag; 304 when the browser has it."""
    if body is None:
        raise NotFoundError("There is no picture: the file is gone, or it could not be read.")
    headers = {"ETag": f'"{tag}"', "Cache-Control": cache, "Content-Disposition": "inline"}
    if request.headers.get("if-none-match") == f'"{tag}"':
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="image/jpeg", headers=headers)


@router.get("/images/{record}/thumbnail/{sha256}")
def thumbnail(
    request: Request,
    record: RecordId,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    visit: SignedIn,
    services: Services,
) -> Response:
    """The small picture. Its address holds the content's hash, so it never changes."""
    found = seen(services, visit, record)
    if found.sha256 != sha256:
        raise NotFoundError(f"Image {record} has other content now: reload the page.")
    return picture(request, services.pictures.thumbnail(found), sha256[:32], KEPT)


@router.get("/images/{record}/view")
def view(request: Request, record: RecordId, visit: SignedIn, services: Services) -> Response:
    """The large picture, made anew without metadata."""
    found = seen(services, visit, record)
    return picture(request, services.pictures.view(found), f"v{found.sha256[:32]}", "private, no-cache")


def back(record: int, query: str) -> Response:
    """To the image's tags, after a change; the query whose hit it was stays known."""
    known = "?" + urlencode({"from": query}) if query else ""
    return RedirectResponse(f"/images/{record}{known}#tags", 303)


@router.post("/images/{record}/tags", dependencies=[FORM])
def edit_tag(
    record: RecordId,
    visit: Moderator,
    services: Services,
    tag: Annotated[str, Form(max_length=200)],
    action: Annotated[str, Form(pattern="^(add|remove|withdraw)$")],
    category: Annotated[str, Form(max_length=40)] = "general",
    came_from: Annotated[str, Form(alias="from", max_length=2000)] = "",
) -> Response:
    """Adds or removes a tag in a person's name, or takes their word back; the next search shows it."""
    seen(services, visit, record)
    name = tag_name(tag) if action == "add" else tag
    if category not in CATEGORIES:
        raise PermanentError(f"There is no category {category!r}: choose one of {', '.join(CATEGORIES)}.")
    if action == "withdraw":
        services.records.withdraw(record, name)
    else:
        services.records.edit(record, visit.person.name, name, category, action == "add")
    services.refresh([record])
    return back(record, came_from)


@router.post("/images/{record}/retry", dependencies=[FORM])
def retry(
    record: RecordId, visit: Moderator, services: Services, stage: Annotated[str, Form(max_length=40)]
) -> Response:
    """Tries a failed stage again."""
    found = seen(services, visit, record)
    if stage not in {state.stage for state in found.stages if state.state in ("failed", "quarantined")}:
        raise PermanentError(f"Nothing failed in {stage!r} of image {record}: reload its page.")
    services.retry(record, stage)
    return RedirectResponse(f"/images/{record}#history", 303)
