"""The JSON API, version 1: the same records, searches and rules as the pages, for programs."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from starlette.responses import JSONResponse

from schemas.characters import character_document
from schemas.search import SearchRequest, Suggestion, parse
from web.access import Services, SignedIn, viewer_of
from web.images import RecordId, seen
from web.progress import progress_of
from web.search import Cursor, Text

router = APIRouter(prefix="/api/v1")


@router.get("/search")
def search(
    visit: SignedIn,
    services: Services,
    q: Text = "",
    after: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 60,
) -> JSONResponse:
    """One page of hits. `total` is an estimate unless `exact`; `next` is the next page's `after`."""
    query = parse(q)
    found = services.search.hits(SearchRequest(query, viewer_of(visit), limit, after))
    return JSONResponse(
        {
            "query": str(query),
            "total": found.total,
            "exact": found.exact,
            "took_ms": round(found.took.total_seconds() * 1000, 2),
            "hits": jsonable_encoder(found.hits),
            "next": found.next,
        }
    )


@router.get("/facets")
def facets(
    visit: SignedIn,
    services: Services,
    q: Text = "",
    name: Annotated[list[str], Query(max_length=20)] = ["general", "character", "object", "rating"],  # noqa: B006
    size: Annotated[int, Query(ge=1, le=200)] = 20,
) -> JSONResponse:
    """Counts of values over everything that a query finds; `sampled` is null when they are exact."""
    request = SearchRequest(parse(q), viewer_of(visit))
    found = services.search.facets(request, name, size)
    return JSONResponse({"facets": jsonable_encoder(found.facets), "sampled": found.sampled})


@router.get("/images/{record}")
def image(record: RecordId, visit: SignedIn, services: Services) -> JSONResponse:
    """The merged record."""
    return JSONResponse(jsonable_encoder(seen(services, visit, record)))


@router.get("/images/{record}/character")
def character(record: RecordId, visit: SignedIn, services: Services) -> JSONResponse:
    """The attributes of its character; null for what is not known."""
    return JSONResponse(character_document(seen(services, visit, record).character))


@router.get("/images/{record}/market")
def market(record: RecordId, visit: SignedIn, services: Services) -> JSONResponse:
    """Its tags for sale with their worth, and those left out with the reason."""
    return JSONResponse(jsonable_encoder(services.market(seen(services, visit, record))))


@router.get("/status")
def status(visit: SignedIn, services: Services) -> JSONResponse:
    """How far the analysis is."""
    found = progress_of(services)
    return JSONResponse(
        {
            "version": services.version,
            "samples_only": services.samples_only,
            "searchable": services.search.count(),
            "settled": found.settled,
            "refused": found.refused,
            "objects": found.total,
            "stages": jsonable_encoder(services.work.counts()),
        }
    )


@router.get("/suggestions")
def suggestions(
    visit: SignedIn,
    services: Services,
    q: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=20)] = 10,
) -> JSONResponse:
    """Tags that fit what was typed, the most used first."""
    found: tuple[Suggestion, ...] = services.search.suggest(q, limit, viewer_of(visit)) if q else ()
    return JSONResponse(jsonable_encoder(found))
