"""The search page: hits are sent first, facets follow in the same answer; the query is the whole state."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from schemas.errors import QueryError
from schemas.search import HitPage, Order, SearchRequest, parse, with_order
from schemas.search import Query as Searched
from schemas.services import WebServices
from web.access import Services, SignedIn, Visit, viewer_of
from web.facets import Panel, Term, panels, terms
from web.meaning import meant, wordy
from web.problems import problem_of
from web.progress import progress_of
from web.render import page, stream

router = APIRouter()
PAGE = 60
ORDERS = {
    Order.NEWEST: "newest first",
    Order.OLDEST: "oldest first",
    Order.SIZE: "largest files first",
    Order.SIZE_ASC: "smallest files first",
    Order.MP: "most pixels first",
    Order.MP_ASC: "fewest pixels first",
}
Text = Annotated[str, Query(max_length=2000)]
Cursor = Annotated[str, Query(max_length=500)]


@dataclass(frozen=True, slots=True)
class Way:
    """An order that can be chosen: its name, address, and whether it is the one in use."""

    name: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Results:
    """What stands above and below the grid."""

    query: Searched
    text: str
    found: HitPage
    first: int
    next: str

    @property
    def last(self) -> int:
        """Number of the last hit on this page."""
        return self.first + len(self.found.hits) - 1

    def ways(self) -> list[Way]:
        """Every order with the address that leads to it."""
        return [
            Way(name, address(str(with_order(self.query, order))), order is self.query.order)
            for order, name in ORDERS.items()
        ]


def address(text: str, **more: str | int) -> str:
    """The search page's address for a query."""
    parameters = {"q": text, **more} if text else dict(more)
    return "/?" + urlencode(parameters) if parameters else "/"


def search(services: WebServices, visit: Visit, text: str, after: str = "", first: int = 1) -> Results:
    """Runs a query. QueryError when it cannot be understood."""
    query = parse(text)
    found = services.search.hits(SearchRequest(query, viewer_of(visit), PAGE, after))
    following = address(text, after=found.next, first=first + len(found.hits)) if found.next else ""
    return Results(query, text, found, first, following)


@dataclass(frozen=True, slots=True)
class FacetColumn:
    """The facets as the template draws them, or why there are none."""

    panels: tuple[Panel, ...] = ()
    terms: tuple[Term, ...] = ()
    sampled: int | None = None
    millis: float = 0.0
    failure: str = ""


def facet_column(services: WebServices, visit: Visit, query: Searched) -> FacetColumn:
    """Counts for every facet. Whatever fails here is told in the column: the hits are on their way already."""
    try:
        return counted(services, visit, query)
    except Exception as error:  # noqa: BLE001
        problem = problem_of(error)
        return FacetColumn(failure=f"{problem.message} {problem.number}".strip())


def counted(services: WebServices, visit: Visit, query: Searched) -> FacetColumn:
    """Asks the index for the facets that this visitor may see."""
    request = SearchRequest(query, viewer_of(visit))
    made, sampled, took = panels(services.search, request)
    return FacetColumn(tuple(made), tuple(terms(query, made)), sampled, took.total_seconds() * 1000)


@router.get("/")
def search_page(
    request: Request,
    visit: SignedIn,
    services: Services,
    q: Text = "",
    after: Cursor = "",
    first: Annotated[int, Query(ge=1, le=10**12)] = 1,
) -> Response:
    """The grid and its facets."""
    text = q.strip()
    try:
        results = search(services, visit, text, after, first)
    except QueryError as error:
        return page(request, "query_error.html", "search", status=400, query=text, message=str(error))
    parts = stream(
        request,
        "search.html",
        "search",
        query=text,
        results=results,
        progress=progress_of(services),
        empty_index=not results.found.hits and not text and services.search.count() == 0,
        without=lone(results),
        words=wordy(text),
        described=meant(services, visit, text) if wordy(text) and not results.found.hits and not after else None,
        facets=lambda: facet_column(services, visit, results.query),
    )
    return sent(parts)


def sent(parts: Iterator[str]) -> Response:
    """Starts sending with the first part ready, so that an error before it still gets its own page."""
    first = next(parts)

    def rest() -> Iterator[str]:
        yield first
        yield from parts

    return StreamingResponse(rest(), media_type="text/html; charset=utf-8", headers={"X-Accel-Buffering": "no"})


def lone(results: Results) -> list[Term]:
    """What to try when nothing was found: the same query without one of its terms."""
    if results.found.hits or len(results.query.nodes) < 2:
        return []
    return [term for term in terms(results.query, ()) if term.href]


@router.get("/progress")
def progress(visit: SignedIn, services: Services) -> JSONResponse:
    """How far the analysis is, for the page's script."""
    found = progress_of(services)
    return JSONResponse({"settled": found.settled, "refused": found.refused, "total": found.total})
