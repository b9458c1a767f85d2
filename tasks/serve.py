"""The web process: joins the pages with their services and serves them until told to stop."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version

import uvicorn

from infra.encoder import RemoteEncoder
from infra.records.accounts import PostgresAccounts
from infra.records.review import PostgresReviewDesk
from infra.telemetry.metrics import ledger_metrics
from schemas.errors import NafudaError
from schemas.pipeline import GROUPS, STAGES, group_of
from schemas.services import Readiness, UploadLimits, WebServices
from tasks.listen import take_in
from tasks.merge import refresh
from tasks.notifications import take_notifications
from tasks.pictures import DerivedPictures
from tasks.services import Services
from web import create_app
from workers.decode.limits import DecodeLimits
from workers.merging.scores import market_tags

log = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")  # who listens there alone is asked for by no other name


@contextlib.contextmanager
def web_services(services: Services) -> Iterator[WebServices]:
    """Everything that the pages need, from the parts of this process."""
    settings = services.settings
    limits = DecodeLimits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
    pictures = DerivedPictures(services.store, services.derived, limits)
    yield WebServices(
        search=services.index,
        similar=services.similar,
        encoder=RemoteEncoder(settings.encoder_url) if settings.encoder_url else None,
        signer=services.signer,
        records=services.records,
        results=services.results,
        work=services.work,
        objects=services.store,
        pictures=pictures,
        desk=PostgresReviewDesk(services.pool),
        accounts=PostgresAccounts(services.pool),
        stored=lambda events: take_in(services, events),
        notified=lambda body: asdict(take_notifications(services, [body], "webhook")),
        events_secret=settings.events_secret,
        refresh=lambda records: refresh(services, records),
        retry=lambda record, stage: retry(services, record, stage),
        market=lambda record: market_tags(record, services.rules.current().scoring),
        outcomes=services.objects.outcomes,
        progress=services.records.progress,
        ready=lambda: readiness(services),
        metrics=ledger_metrics(
            services.work.counts, services.backfill.waiting, services.records.summary, services.indexing.lag
        ),
        uploads=UploadLimits(bucket=settings.bucket, file_bytes=settings.max_bytes),
        version=version("nafuda"),
        samples_only=all(model.sample for model in services.rules.current().models.values()),
        secure_cookies=settings.secure_cookies,
        allowed_hosts=settings.allowed_hosts,
    )
    pictures.close()


def retry(services: Services, record: int, stage: str) -> None:
    """Make a record's failed work of a stage ready again, or of all stages when the stage is empty."""
    stages = [stage] if stage else [each.name for each in STAGES]
    services.work.retry(stages, [services.records.record(record).image])
    for queue in {group_of(each).name for each in stages} if stages else {group.name for group in GROUPS}:
        services.wake(queue)


def readiness(services: Services) -> Sequence[Readiness]:
    """What must work before traffic is sent here."""
    checks = []
    for name, check in (
        ("records", lambda: services.work.alive(services.settings.silent) and ""),  # cheap, however much waits
        ("objects", lambda: services.store.buckets() and ""),
        ("search", lambda: services.index.count() and ""),
    ):
        try:
            check()
            checks.append(Readiness(name, True))
        except NafudaError as error:
            checks.append(Readiness(name, False, str(error)))
    return checks


def serve(services: Services) -> int:
    """Serve until SIGTERM or SIGINT. `uvicorn.run` would raise the signal again: exit code 143."""
    settings = services.settings
    with web_services(services) as joined:
        hosts = settings.allowed_hosts or (_LOOPBACK if settings.web_host in _LOOPBACK else ())
        config = uvicorn.Config(
            create_app(replace(joined, allowed_hosts=hosts)),
            host=settings.web_host,
            port=settings.web_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.grace.total_seconds()),
        )
        asyncio.run(_until_told(uvicorn.Server(config)))
    services.close()
    return 0


async def _until_told(server: uvicorn.Server) -> None:
    def ask() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    await server.serve()
