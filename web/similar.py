"""The page of meaning, and what is alike as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.encoders import jsonable_encoder
from starlette.responses import JSONResponse, Response

from web.access import Services, SignedIn
from web.images import RecordId, seen
from web.meaning import PAGE, Meant, meant, strips
from web.render import page

router = APIRouter()
Words = Annotated[str, Query(max_length=500)]


@router.get("/meaning")
def meaning_page(request: Request, visit: SignedIn, services: Services, q: Words = "") -> Response:
    """Images that fit a description."""
    text = q.strip()
    found = meant(services, visit, text) if text else Meant(())
    return page(request, "meaning.html", "search", query=text, meant=found)


@router.get("/api/v1/meaning")
def meaning(
    visit: SignedIn, services: Services, q: Words, limit: Annotated[int, Query(ge=1, le=200)] = PAGE
) -> JSONResponse:
    """Images that fit a description, with the cosine of each.

    `note` says when captions were searched instead, `gap` which pictures could not be compared yet.
    """
    found = meant(services, visit, q.strip(), limit)
    return JSONResponse({"note": found.note, "gap": found.gap, "hits": jsonable_encoder(found.found)})


@router.get("/api/v1/images/{record}/similar")
def similar(
    record: RecordId, visit: SignedIn, services: Services, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> JSONResponse:
    """What is like an image: by look, by vector and by tags, each with its own figure."""
    seen(services, visit, record)
    made = strips(services, visit, record, limit)
    return JSONResponse({each.name: {"note": each.note, "hits": jsonable_encoder(each.found)} for each in made})
