"""The moderators' pages: the queues, one item at a time with four verbs, and taking the last decision back."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from schemas.errors import ConflictError, NotFoundError
from schemas.record import Record
from schemas.review import ReviewItem, Verdict
from schemas.services import WebServices
from web.access import FORM, Moderator, Services, Visit, set_cookie
from web.figures import COOKIE, Figures
from web.queues import queues_for
from web.render import page

router = APIRouter()
Queue = Annotated[str, Query(max_length=100)]
QueueField = Annotated[str, Form(max_length=100)]
ItemId = Annotated[int, Path(ge=1, le=2**62)]
LIKE_IT = 6


def figures_of(request: Request) -> Figures:
    """This session's figures, from its cookie."""
    return Figures.read(request.cookies.get(COOKIE, ""))


def keep(response: Response, services: WebServices, figures: Figures) -> Response:
    """Remembers the figures until the browser is closed."""
    set_cookie(response, services, COOKIE, figures.written(), None)
    return response


def queue_address(queue: str, **more: str) -> str:
    """The page of queues, with one of them chosen."""
    parameters = {**({"queue": queue} if queue else {}), **more}
    return "/review" + ("?" + urlencode(parameters) if parameters else "")


def go_on(services: WebServices, visit: Visit, queue: str) -> Response:
    """To the next item of the queue, leased to this person, or back to the queues when none is left."""
    item = services.desk.claim(visit.person, queue or None, services.lease)
    if item is None:
        return RedirectResponse(queue_address(queue, done="1"), 303)
    return RedirectResponse(f"/review/items/{item.id}" + ("?" + urlencode({"queue": queue}) if queue else ""), 303)


@router.get("/review")
def queues_page(
    request: Request, visit: Moderator, services: Services, queue: Queue = "", done: bool = False
) -> Response:
    """What waits, since when, and a way in."""
    found = queues_for(services, visit)
    return page(request, "queues.html", "review", queues=found, queue=queue, done=done, figures=figures_of(request))


@router.post("/review/claim", dependencies=[FORM])
def claim(visit: Moderator, services: Services, queue: QueueField = "") -> Response:
    """Leases the most urgent item. A form, because following a link must not take work from others."""
    return go_on(services, visit, queue)


def record_behind(services: WebServices, item: ReviewItem) -> Record | None:
    """The item's record, or None when it was erased since."""
    try:
        return services.records.record(item.record)
    except NotFoundError:
        return None


@router.get("/review/items/{item}")
def item_page(request: Request, item: ItemId, visit: Moderator, services: Services, queue: Queue = "") -> Response:
    """One item: why it is here, what was decided on its like, and the verbs when it is leased to this person."""
    found = services.desk.item(item)
    now = datetime.now(UTC)
    held = found.leased_until is not None and found.leased_until > now
    mine = held and found.leased_by == visit.person.name and bool(found.lease)
    following = services.desk.upcoming(visit.person, queue or None) if mine else None
    return page(
        request,
        "review.html",
        "review",
        item=found,
        record=record_behind(services, found),
        mine=mine,
        held=held,
        queue=queue,
        queues=queues_for(services, visit),
        past=services.desk.precedents(found.record, LIKE_IT),
        events=services.desk.history(found.record),
        following=following,
        figures=figures_of(request),
        shown=int(now.timestamp() * 1000),
        seconds=max(0, int((found.leased_until - now).total_seconds())) if found.leased_until else 0,
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What the four verbs' form sends. shown: when the page was drawn, in milliseconds, for the session's figures."""

    verdict: Annotated[Verdict, Form()]
    lease: Annotated[str, Form(max_length=200)]
    reason: Annotated[str, Form(max_length=2000)] = ""
    shown: Annotated[int, Form(ge=0, le=2**62)] = 0
    queue: QueueField = ""


@router.post("/review/items/{item}/decide", dependencies=[FORM])
def decide(
    request: Request, item: ItemId, visit: Moderator, services: Services, said: Annotated[Said, Depends()]
) -> Response:
    """A moderator's word; the next search follows it."""
    record = services.desk.decide(item, said.lease, visit.person, said.verdict, said.reason)
    services.refresh([record])
    took = datetime.now(UTC).timestamp() - said.shown / 1000
    return keep(go_on(services, visit, said.queue), services, figures_of(request).decided(item, took))


@router.post("/review/items/{item}/skip", dependencies=[FORM])
def skip(
    item: ItemId,
    visit: Moderator,
    services: Services,
    lease: Annotated[str, Form(max_length=200)],
    queue: QueueField = "",
) -> Response:
    """Gives the item back for others and goes on."""
    services.desk.release(item, lease, visit.person)
    return go_on(services, visit, queue)


@router.post("/review/undo", dependencies=[FORM])
def undo(
    request: Request,
    visit: Moderator,
    services: Services,
    queue: QueueField = "",
    item: Annotated[int, Form(ge=0, le=2**62)] = 0,
    lease: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Takes this session's last decision back and shows its item again; the one in hand goes back to the others."""
    figures = figures_of(request)
    if not figures.last:
        raise ConflictError("There is nothing to take back in this session.")
    record = services.desk.undo(figures.last, visit.person)
    services.refresh([record])
    if lease:
        with suppress(ConflictError):
            services.desk.release(item, lease, visit.person)
    return keep(go_on(services, visit, queue), services, figures.undone())
