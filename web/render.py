"""How pages are drawn: the Jinja environment, what every page knows, and how figures are written."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from schemas.search.query import Text
from schemas.search.text import node_text
from schemas.search.tokens import plain as searchable
from schemas.services import WebServices
from web.access import Visit, visit_of
from web.queues import queues_for

HERE = Path(__file__).parent
STATIC = HERE / "static"
FLUSH = "\0flush\0"
THEME = "nafuda_theme"


def digest(folder: Path) -> str:
    """Ten digits that change when any file of the folder does, so that browsers may keep them for ever."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:10]


def filesize(count: float) -> str:
    """1536 → "1.5 KB"."""
    units = ["B", "KB", "MB", "GB"]
    unit = units.pop(0)
    while count >= 1024 and units:
        count, unit = count / 1024, units.pop(0)
    return f"{count:.0f} {unit}" if count == int(count) else f"{count:.1f} {unit}"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that fits: "22 min"."""
    seconds = max(0, int(((now or datetime.now(UTC)) - moment).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def due(moment: datetime) -> str:
    """When something is due: "due in 38 min", or "overdue by 2 h"."""
    now = datetime.now(UTC)
    return f"due in {ago(now, moment)}" if moment > now else f"overdue by {ago(moment, now)}"


def percent(confidence: float) -> str:
    """.97 rather than 0.97, and 1.00 for certainty."""
    written = f"{confidence:.2f}"
    return written if confidence >= 0.995 else written.lstrip("0")


def plain(name: str) -> str:
    """A tag's name as a person would say it."""
    return name.replace("_", " ")


def short(name: str) -> str:
    """A model's name without its namespace: "nafuda/sample-tagger" is "sample-tagger"."""
    return name.rpartition("/")[2]


def phrase(text: str) -> str:
    """The query for the words of a text, "" when there is none in it."""
    found = searchable(text)
    return node_text(Text(found)) if found else ""


def thousands(count: float) -> str:
    """1234 → "1,234"."""
    return f"{count:,.0f}"


@cache
def environment() -> Environment:
    """Templates with autoescape; a misspelt name is an error, not an empty string."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        filesize=filesize,
        ago=ago,
        due=due,
        percent=percent,
        plain=plain,
        short=short,
        phrase=phrase,
        thousands=thousands,
        iso=datetime.isoformat,
    )
    made.globals.update(FLUSH=FLUSH)
    return made


def services_in(request: Request) -> WebServices:
    """The ports, for code that is not a route."""
    return cast(WebServices, request.app.state.services)


def shared(request: Request, visit: Visit | None, active: str) -> dict[str, object]:
    """What every page's template knows. `active` names the entry of the navigation that is lit."""
    services = services_in(request)
    waiting = 0
    if visit is not None and visit.moderates:
        waiting = sum(queue.open for queue in queues_for(services, visit))
    theme = request.cookies.get(THEME, "")
    return {
        "active": active,
        "visit": visit,
        "csrf": visit.csrf if visit else "",
        "waiting": waiting,
        "theme": theme if theme in ("light", "dark") else "auto",
        "static": f"/static/{request.app.state.digest}",
        "version": services.version,
        "samples_only": services.samples_only,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "query": "",
        "tokens": (),
    }


def page(request: Request, template: str, active: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """A whole page."""
    visit = visit_of(request, services_in(request))
    text = environment().get_template(template).render({**shared(request, visit, active), **context})
    return HTMLResponse(text, status)


def stream(request: Request, template: str, active: str, **context: object) -> Iterator[str]:
    """A page in parts: what stands before each FLUSH is sent before what follows it is computed."""
    visit = visit_of(request, services_in(request))
    full = {**shared(request, visit, active), **context}
    held: list[str] = []
    for piece in environment().get_template(template).generate(full):
        before, mark, after = piece.partition(FLUSH)
        held.append(before)
        if mark:
            yield "".join(held)
            held = [after]
    yield "".join(held)
