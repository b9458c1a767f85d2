"""Celery's settings for a broker URL; without one, kombu's pgmq transport on the records' PostgreSQL."""

from collections.abc import Mapping
from importlib import resources

import psycopg
from kombu.entity import Exchange, Queue

from infra.records.sql import trusted
from infra.settings import Settings
from schemas.pipeline import QUEUES

EMBEDDED = "pgmq://localhost"  # the real address is the transport option conn_string
EXCHANGE = "nafuda"
# A hint whose worker dies comes again, but not for ever. What is dropped then says nothing that the database does not.
DELIVERY_LIMIT = 20
HEARTBEAT = 20  # seconds; a broker that was silent for two of them is away
_AMQP = ("amqp://", "amqps://", "pyamqp://")
_LOCK = 0x706D6771  # one process installs the schema, the others find it


def celery_config(settings: Settings, *, consumes: bool) -> dict[str, object]:
    """What every app of ours is configured with. Messages are hints, so nothing is stored about them.

    consumes: False for an app that only sends. It must not set up NOTIFY, or two would do it at the same moment.
    """
    return {
        "broker_url": settings.broker_url or EMBEDDED,
        "broker_transport_options": _transport(settings, consumes),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": settings.broker_timeout.total_seconds(),
        "broker_heartbeat": HEARTBEAT,
        "task_queues": _queues(settings.broker_url),
        "task_default_queue": QUEUES[0],
        "task_create_missing_queues": False,
        "task_acks_late": True,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_consumer": "infra.broker.consumer:HintConsumer",
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "enable_utc": True,
    }


def _queues(url: str) -> list[Queue]:
    """On RabbitMQ, quorum queues: a node's death loses none of what was confirmed. Celery wants them behind a topic."""
    if not url.startswith(_AMQP):
        return [Queue(name, routing_key=name) for name in QUEUES]
    exchange = Exchange(EXCHANGE, type="topic")
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT}
    return [Queue(name, exchange, routing_key=name, queue_arguments=arguments) for name in QUEUES]


def _transport(settings: Settings, consumes: bool) -> Mapping[str, object]:
    if settings.broker_url and not settings.broker_url.startswith("pgmq"):
        # Without confirmation RabbitMQ's death loses what was sent, and nobody is told. A consumer waits for hints
        # without end, and heartbeats tell it when to stop.
        seconds = settings.broker_timeout.total_seconds()
        patience = {} if consumes else {"read_timeout": seconds, "write_timeout": seconds}
        return {"confirm_publish": True, **patience}
    return {
        "conn_string": settings.database_url,
        "init_extension": False,
        "visibility_timeout": 60,
        "polling_interval": 1.0,  # NOTIFY wakes at once; this finds what became visible again
        "wait_time_seconds": 0,
        "use_notify": consumes,
        "notify_throttle_interval_ms": 0,
        "pool_size": 3,
    }


def install_pgmq(conninfo: str) -> None:
    """Create the transport's schema once; plpgsql is all that it needs."""
    with psycopg.connect(conninfo, autocommit=True) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if connection.execute("SELECT to_regclass('pgmq.meta')").fetchone() == (None,):
            connection.execute("CREATE SCHEMA IF NOT EXISTS pgmq")
            connection.execute(trusted((resources.files("pgmq") / "sql" / "pgmq.sql").read_text("utf-8")))
