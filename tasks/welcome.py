"""What `nafuda run` tells a person: where to sign in, how far the analysis is, what was found, what to try."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from infra.records.accounts import PostgresAccounts
from infra.records.review import PostgresReviewDesk
from schemas.errors import NafudaError, TransientError
from schemas.review import Role
from schemas.search import SearchRequest, Viewer, parse
from tasks.services import Services

ADMIN = "admin"
LINK = timedelta(hours=1)
_PATIENCE = timedelta(minutes=10)
_SHOWN = ("general", "object", "rating")


def sign_in_link(services: Services, address: str) -> str:
    """A link that signs the admin in once; the admin is made at the first start."""
    accounts = PostgresAccounts(services.pool)
    admins = [person for person in accounts.people() if person.role is Role.ADMIN and not person.disabled]
    admin = admins[0] if admins else accounts.create(ADMIN, None, Role.ADMIN)
    return f"{address}/sign-in/link?token={accounts.link(admin.name, LINK)}"


def analysing(services: Services, samples: int, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Say how far the samples are, until all are searchable."""
    started, told = time.monotonic(), -1
    while not stop.is_set() and time.monotonic() - started < _PATIENCE.total_seconds():
        try:
            settled, refused, seen = services.records.progress()
        except NafudaError:
            stop.wait(1)
            continue
        if settled >= samples and settled == seen:
            if told >= 0:
                without = f", {refused} refused" if refused else ""
                say(f"  {settled} of {settled} files analysed{without}, in {time.monotonic() - started:.0f} s\n")
            return
        if settled // 25 != told // 25:
            told = settled
            say(f"  {settled} of {max(samples, seen)} files analysed")
        stop.wait(0.25)


def summary(services: Services) -> str:
    """What was found, and what to try next."""
    try:
        lines = _searchable(services)
    except TransientError as error:
        lines = [f"nothing is searchable yet: {error}"]
    waiting = sum(queue.open for queue in PostgresReviewDesk(services.pool).queues())
    lines += [
        "",
        "try next:",
        "  search for      blonde_hair glasses      or click facets; exclude with -smile",
        f"  review          {waiting} decisions wait on the Review page: keep or remove an image, and search again",
        f"  your pictures   {_put_where(services)},",
        "                  use the Upload page, or run   nafuda ingest PATH --wait",
        "  real models     the shipped ones are samples, trained on drawings: see docs/models.md",
        "",
        "Ctrl-C stops everything; the next start goes on from here.",
    ]
    return "\n".join(lines)


def _searchable(services: Services) -> list[str]:
    """How many images, and the most frequent values of some facets."""
    everything = SearchRequest(parse(""), Viewer(sees_held=True))
    page = services.index.facets(everything, _SHOWN, 6)
    lines = [f"{services.index.count()} images are searchable."]
    if lacking := services.similar.lacking():
        lines.append(f"  search by meaning is off: {lacking}")
    for facet in page.facets:
        values = ", ".join(f"{value.value} ({value.count})" for value in facet.values)
        if values:
            lines.append(f"  {facet.name}: {values}")
    return lines


def _put_where(services: Services) -> str:
    bucket = services.settings.bucket
    if services.settings.s3_endpoint is None:
        return f"drop files into {services.settings.buckets_folder / bucket}"
    return f"put objects into the bucket {bucket} at {services.store.place}"
