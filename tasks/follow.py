"""The role `listen`: follows folders by the system's word, and S3 buckets by the events that a broker brings."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import takewhile

from infra.arrivals.amqp import AmqpSource
from infra.settings import Settings
from schemas.errors import TransientError
from schemas.ports import Arrival, EventSource
from tasks.comparing import Comparing, compare_once
from tasks.insist import insist
from tasks.listen import follow
from tasks.notifications import take_notifications
from tasks.services import Services

log = logging.getLogger(__name__)
_LASTING = 5.0  # seconds after which a connection that brought nothing counts as a good one


def listen(services: Services, stop: threading.Event) -> None:
    """Follow the buckets until told to stop; they are compared with the records at start and after each outage."""
    if services.settings.s3_endpoint is None:
        follow(services, stop)
    elif services.settings.events_url:
        consume(services, source_of(services.settings), stop)
    else:
        instead = "only the webhook" if services.settings.events_secret else "no NAFUDA_EVENTS_URL"
        log.info("%s: buckets are compared every %s", instead, services.settings.reconcile_every)
        compare_once(services, stop)
        stop.wait()


def source_of(settings: Settings) -> EventSource:
    """Where the settings say that events arrive."""
    endpoint = settings.sqs_endpoint
    if endpoint is None:
        patience = {"timeout": settings.broker_timeout, "heartbeat": settings.broker_heartbeat}
        return AmqpSource(settings.events_url, settings.events_queue, **patience)
    from infra.arrivals.sqs import SqsSource  # boto3 takes a fifth of a second to load

    return SqsSource(endpoint, settings.events_queue, timeout=settings.objects_timeout)


def consume(services: Services, source: EventSource, stop: threading.Event) -> None:
    """Take events from a queue. A server that is away is said once, and tried again with jittered back-off.

    Beside each new connection buckets and records are compared: events may have been lost before.
    """
    outage, comparing = services.events_outage, Comparing(services)
    try:
        while not stop.is_set():
            try:
                with closing(source.arrivals()) as arrivals:
                    next(arrivals)
                    log.info("events come from %s", source.place)
                    comparing.ask()
                    _take_all(services, source, arrivals, stop)
            except TransientError as error:
                outage.began(error)
                stop.wait(outage.pause)
    finally:
        comparing.end()


def _take_all(
    services: Services, source: EventSource, arrivals: Iterator[Arrival | None], stop: threading.Event
) -> None:
    """Take what arrives. The outage is over when something was settled, or the connection has lasted for a while: one
    that lets us in may still drop us at each message, and its pauses must grow."""
    lasting, settled = time.monotonic() + _LASTING, False
    for arrival in takewhile(lambda _: not stop.is_set(), arrivals):
        if settled or time.monotonic() > lasting:
            services.events_outage.over()
        if arrival:
            _take(services, source, arrival, stop)
        settled = arrival is not None


def _take(services: Services, source: EventSource, arrival: Arrival, stop: threading.Event) -> None:
    """Confirm once the hints, or dead letters, are committed; until then the broker keeps the messages."""
    take = partial(take_notifications, services, arrival.bodies, source.name)
    if insist(take, "events wait", stop, meanwhile=arrival.hold):
        arrival.confirm()
