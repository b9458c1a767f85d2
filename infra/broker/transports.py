"""What each kind of broker has to be told: its address as kombu has it, the options of its transport, its queues."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from kombu.entity import Exchange, Queue
from psycopg.conninfo import make_conninfo

from infra.records.pool import given_up_after
from infra.settings import Settings
from schemas.errors import ConfigurationError
from schemas.pipeline import QUEUES

EMBEDDED = "pgmq://localhost"  # the real address is the transport option conn_string
EXCHANGE = "nafuda"
# A hint whose worker dies comes again, but not for ever. What is dropped then says nothing that the database does not.
DELIVERY_LIMIT = 20
VISIBLE = 60  # seconds after which an unconfirmed hint comes again; when its work takes longer, that costs one query
_POLL = 20  # seconds that a consumer's wait for hints may take
PREFIX = "nafuda-"  # of queues and keys on a server that others may use too
_SQS = {"sqs+http://": False, "sqs+https://": True}


@dataclass(frozen=True, slots=True)
class Transport:
    """A kind of broker. `needs`: the module that its extra of the same name brings, "" where none is needed.

    prefetch: hints that a worker may hold for each of its threads, those at work among them.
    """

    options: Callable[[Settings, bool], dict[str, object]]
    queues: Callable[[], list[Queue]]
    extra: str = ""
    needs: str = ""
    adapter: str | None = None  # a transport of ours, where kombu's own does not do
    prefetch: int = 1


def address(settings: Settings) -> str:
    """As kombu has it."""
    url = settings.broker_url or EMBEDDED
    for scheme in _SQS:
        if url.startswith(scheme):
            return f"sqs://{url.removeprefix(scheme).rstrip('/')}//"
    return "sqs://" if url == "sqs:" else url


def transport_of(settings: Settings) -> Transport:
    """The kind of broker that the settings name. ConfigurationError where its extra is not installed."""
    scheme = (settings.broker_url or EMBEDDED).partition(":")[0]
    found = _TRANSPORTS.get(scheme, _OTHER)
    if found.needs and find_spec(found.needs) is None:
        raise ConfigurationError(f"NAFUDA_BROKER_URL={scheme}:… needs more: pip install 'nafuda[{found.extra}]'")
    return found


def _direct() -> list[Queue]:
    return [Queue(name, routing_key=name) for name in QUEUES]


def _quorum() -> list[Queue]:
    """On RabbitMQ, quorum queues: a node's death loses none of what was confirmed. Celery wants them behind a topic."""
    exchange = Exchange(EXCHANGE, type="topic")
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT}
    return [Queue(name, exchange, routing_key=name, queue_arguments=arguments) for name in QUEUES]


def _pgmq(settings: Settings, consumes: bool) -> dict[str, object]:
    return {
        "conn_string": make_conninfo(settings.database_url, **given_up_after(settings.database_silence)),
        "init_extension": False,
        "visibility_timeout": VISIBLE,
        "polling_interval": 1.0,  # NOTIFY wakes at once; this finds what became visible again
        "wait_time_seconds": 0,
        "use_notify": consumes,
        "notify_throttle_interval_ms": 0,
        "pool_size": 3,
    }


def _sqs(settings: Settings, consumes: bool) -> dict[str, object]:
    """A poll waits at the server, so the pause between two may be short; it also bounds the rate of a busy worker."""
    seconds = settings.broker_timeout.total_seconds()
    read = seconds + (_POLL if consumes else 0)
    return {
        "queue_name_prefix": PREFIX,
        "visibility_timeout": VISIBLE,  # of queues that are made; one that exists keeps its own
        "wait_time_seconds": _POLL,
        "polling_interval": 0.1,
        "is_secure": _SQS.get(settings.broker_url.partition("://")[0] + "://", True),
        "client-config": {"connect_timeout": seconds, "read_timeout": read, "retries": {"total_max_attempts": 1}},
    }


def _redis(settings: Settings, consumes: bool) -> dict[str, object]:
    """Redis gives nothing back by itself: consumers look for hints whose time is over, by turns.

    Who sends waits for an answer, but not for ever; a consumer notices a server that is gone without a word.
    """
    seconds = settings.broker_timeout.total_seconds()
    return {
        "global_keyprefix": PREFIX,
        "visibility_timeout": VISIBLE,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 30,  # whoever looks and dies keeps others from looking for so long
        "socket_connect_timeout": seconds,
        "socket_timeout": seconds + (_POLL if consumes else 0),
        "socket_keepalive": True,
    }


def _confirmed(settings: Settings, consumes: bool) -> dict[str, object]:
    """Without confirmation RabbitMQ's death loses what was sent, and nobody is told.

    Who sends waits for an answer, but not for ever. A consumer's wait for hints is ended by heartbeats.
    """
    seconds = settings.broker_timeout.total_seconds()
    return {"confirm_publish": True, **({} if consumes else {"read_timeout": seconds, "write_timeout": seconds})}


_OTHER = Transport(_confirmed, _direct)
_RABBITMQ = Transport(_confirmed, _quorum)
_REDIS = Transport(_redis, _direct, "redis", "redis")
_AWS = Transport(_sqs, _direct, "sqs", "pycurl", "infra.broker.sqs:Transport")
_TRANSPORTS = {
    # Who holds its fill is not told when a thread is free and looks again a second later: so it may hold all that come.
    "pgmq": Transport(_pgmq, _direct, prefetch=4),
    **dict.fromkeys(("amqp", "amqps", "pyamqp"), _RABBITMQ),
    **dict.fromkeys(("redis", "rediss"), _REDIS),
    **dict.fromkeys(("sqs", "sqs+http", "sqs+https"), _AWS),
}
