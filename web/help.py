"""Pages that explain: the query language, and what sample models can and cannot do."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.access import SignedIn
from web.render import page

router = APIRouter()


@router.get("/help/search")
def search_help(request: Request, visit: SignedIn) -> Response:
    """How to write a query."""
    return page(request, "help_search.html", "help")


@router.get("/help/models")
def models_help(request: Request, visit: SignedIn) -> Response:
    """What the sample models are for, and how to get others."""
    return page(request, "help_models.html", "help")
