"""Backfill: what models in force have not said of older images is planned, page by page, below live work."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from schemas.backfill import Planned, Scope
from schemas.errors import NotFoundError, PermanentError
from schemas.pipeline import GROUPS, needs
from schemas.search import SearchRequest, Viewer, parse
from tasks.reconcile import reconcile
from tasks.services import Services

_HITS = 500
_EVERYONE = Viewer(sees_held=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for. where: a bucket, BUCKET/PREFIX, a search query, or "" for the whole collection.

    collection: its name, "" for all. missing: only what this model in force, and those that it needs, have not said.
    """

    where: str = ""
    collection: str = ""
    missing: str = ""
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What `where` was taken for, what was planned, and how many objects nobody had told us of before."""

    scope: str
    planned: Planned
    objects: int = 0


def backfill(services: Services, asked: Asked) -> Backfilled:
    """Plan what is missing; again does no harm, and a break leaves the pages that were done."""
    scope = Scope(asked.collection, models=_models(services, asked.missing), dry=asked.dry)
    if not asked.where:
        return Backfilled(f"collection {asked.collection}", _by_page(services, scope))
    bucket, _, prefix = asked.where.partition("/")
    sources = [(each, wide) for each, wide, _ in services.objects.sources() if each == bucket]
    if not sources:
        return Backfilled(f"query {asked.where}", _by_query(services, scope, asked.where))
    wanted = {max(wide, prefix, key=len) for _, wide in sources if wide.startswith(prefix) or prefix.startswith(wide)}
    if not wanted:
        prefixes = ", ".join(f"{bucket}/{wide}" for _, wide in sources)
        raise NotFoundError(f"{asked.where} belongs to no collection; those of this bucket are {prefixes}")
    planned = _by_page(services, replace(scope, bucket=bucket, prefix=prefix))
    unknown = sum(reconcile(services, bucket, each, dry=asked.dry).unknown for each in sorted(wanted))
    return Backfilled(f"objects under {bucket}/{prefix}", planned, unknown)


def _by_page(services: Services, scope: Scope) -> Planned:
    planned, after = Planned(), 0
    while True:
        after, more = services.backfill.page(scope, after)
        planned += _woken(services, scope, more)
        if not after:
            return planned


def _by_query(services: Services, scope: Scope, query: str) -> Planned:
    planned = Planned()
    for records in _found(services, query):
        planned += _woken(services, scope, services.backfill.records(scope, records))
    return planned


def _found(services: Services, query: str) -> Iterator[list[int]]:
    """Records that a query finds, a page at a time."""
    request = SearchRequest(parse(query), _EVERYONE, _HITS)
    while True:
        page = services.index.hits(request)
        yield [hit.record for hit in page.hits]
        if not page.next:
            return
        request = replace(request, after=page.next)


def _woken(services: Services, scope: Scope, planned: Planned) -> Planned:
    if planned.work and not scope.dry:
        for group in GROUPS:
            services.wake(group.name)
    return planned


def _models(services: Services, name: str) -> tuple[int, ...]:
    """Ids of a model in force and of those in stages that its stage needs; () without a name."""
    if not name:
        return ()
    known = services.rules.models()
    plans = {number for collection, _, _ in services.rules.collections() for number in services.rules.plan(collection)}
    stages = {known[number].stage for number in plans if known[number].name == name}
    if not stages:
        names = ", ".join(sorted({known[number].name for number in plans}))
        raise PermanentError(f"no model {name!r} is in force; there are {names}. `nafuda models use` changes that")
    needed = {need for stage, need in needs() if stage in stages}
    return tuple(n for n in sorted(plans) if known[n].name == name or known[n].stage in needed)
