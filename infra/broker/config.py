"""Celery's settings for a broker, whichever it is; the schema that the embedded one needs."""

import ssl
from importlib import resources

import psycopg

from infra.broker.transports import address, transport_of
from infra.records.sql import trusted
from infra.settings import Settings
from schemas.pipeline import QUEUES

_LOCK = 0x706D6771  # one process installs the schema, the others find it


def celery_config(settings: Settings, *, consumes: bool) -> dict[str, object]:
    """What every app of ours is configured with. Messages are hints, so nothing is stored about them.

    consumes: False for an app that only sends. It must not set up NOTIFY, or two would do it at the same moment.
    """
    transport = transport_of(settings)
    return {
        "broker_url": address(settings),
        "broker_transport": transport.adapter,
        "broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_REQUIRED} if address(settings).startswith("rediss:") else None,
        "broker_transport_options": transport.options(settings, consumes),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": settings.broker_timeout.total_seconds(),
        "broker_heartbeat": int(settings.broker_heartbeat.total_seconds()),
        "task_queues": transport.queues(),
        "task_default_queue": QUEUES[0],
        "task_create_missing_queues": False,
        "task_acks_late": True,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_consumer": "infra.broker.consumer:HintConsumer",
        "worker_prefetch_multiplier": transport.prefetch,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "enable_utc": True,
    }


def install_pgmq(conninfo: str) -> None:
    """Create the transport's schema once; plpgsql is all that it needs."""
    with psycopg.connect(conninfo, autocommit=True) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if connection.execute("SELECT to_regclass('pgmq.meta')").fetchone() == (None,):
            connection.execute("CREATE SCHEMA IF NOT EXISTS pgmq")
            connection.execute(trusted((resources.files("pgmq") / "sql" / "pgmq.sql").read_text("utf-8")))
