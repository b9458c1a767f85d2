"""The role `listen`: follows folders by the system's word, and S3 buckets by the events that a broker brings."""

import logging
import random
import threading

from kombu.connection import Connection
from kombu.entity import Queue
from kombu.message import Message

from schemas.errors import NafudaError
from tasks.listen import follow
from tasks.notifications import take_notification
from tasks.reconcile import reconcile_all
from tasks.services import Services

log = logging.getLogger(__name__)

_HEARTBEAT = 20  # seconds
_CONNECT = 5  # seconds
_PREFETCH = 100
_LONGEST_WAIT = 30.0  # seconds between attempts


def listen(services: Services, stop: threading.Event) -> None:
    """Follow the buckets until told to stop; they are compared with the records at start and after each outage."""
    if services.settings.s3_endpoint is None:
        follow(services, stop)
    elif services.settings.events_url:
        consume(services, stop)
    else:
        log.info("no NAFUDA_EVENTS_URL: buckets are compared every %s", services.settings.reconcile_every)
        _compare(services, stop)
        stop.wait()


def consume(services: Services, stop: threading.Event) -> None:
    """Take events from the queue. A broker that is away is said once, and tried again with jittered back-off."""
    connection = Connection(services.settings.events_url, heartbeat=_HEARTBEAT, connect_timeout=_CONNECT)
    errors = (OSError, *connection.connection_errors, *connection.channel_errors)
    queue = Queue(services.settings.events_queue, no_declare=True)
    failed = 0
    while not stop.is_set():
        try:
            with connection.clone() as live:
                live.connect()
                with live.Consumer(
                    queue,
                    on_message=lambda message: _take(services, message, stop),
                    prefetch_count=_PREFETCH,
                    auto_declare=False,
                ):
                    log.info("events come from %s", live.as_uri())
                    failed = 0
                    _drain(services, live, stop)
        except errors as error:
            if not failed:
                log.warning("no events come from %s: %s; trying again", live.as_uri(), error)
            failed += 1
            stop.wait(random.uniform(0.5, 1) * min(_LONGEST_WAIT, 2.0**failed))


def _drain(services: Services, live: Connection, stop: threading.Event) -> None:
    """Take what comes while the connection lives, and compare beside it: events may have been lost before."""
    over = threading.Event()
    threading.Thread(target=_compare, args=(services, over), name="compare", daemon=True).start()
    try:
        while not stop.is_set():
            try:
                live.drain_events(timeout=1)
            except TimeoutError:
                live.heartbeat_check()
    finally:
        over.set()


def _take(services: Services, message: Message, stop: threading.Event) -> None:
    """Acknowledge once the hints, or the dead letter, are committed; until then the broker keeps the message."""
    body = message.body if isinstance(message.body, str) else bytes(message.body).decode("utf-8", "replace")
    waits = False
    while not stop.is_set():
        try:
            take_notification(services, body, services.settings.events_queue)
            message.ack()
            return
        except NafudaError as error:
            if not waits:
                log.warning("an event waits: %s", error)
            waits = True
            stop.wait(1)


def _compare(services: Services, stop: threading.Event) -> None:
    """Reconcile once, as soon as store and database answer."""
    waits = False
    while not stop.is_set():
        try:
            reconcile_all(services)
            return
        except NafudaError as error:
            if not waits:
                log.warning("buckets are not compared yet: %s", error)
            waits = True
            stop.wait(random.uniform(1, 3))
