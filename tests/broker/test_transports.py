"""What each kind of broker is told, without one (R72)."""

import ssl
import sys
from datetime import timedelta

import pytest
from psycopg.conninfo import conninfo_to_dict

from infra.broker.config import celery_config
from infra.broker.transports import address
from infra.records.work import HINTS_UNDER_WAY
from infra.settings import Settings
from schemas.errors import ConfigurationError
from schemas.pipeline import QUEUES


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("", "pgmq://localhost"),
        ("amqp://127.0.0.1:5672/nafuda", "amqp://127.0.0.1:5672/nafuda"),
        ("redis://:secret@127.0.0.1:6379/0", "redis://:secret@127.0.0.1:6379/0"),
        ("sqs:", "sqs://"),
        ("sqs://", "sqs://"),
        ("sqs+http://127.0.0.1:9324", "sqs://127.0.0.1:9324//"),
        ("sqs+https://sqs.example.org/", "sqs://sqs.example.org//"),
    ],
)
def test_an_address_is_said_as_everywhere_and_given_as_kombu_has_it(url: str, reached: str) -> None:
    assert address(Settings(broker_url=url)) == reached


@pytest.mark.parametrize(
    ("url", "module", "extra"), [("sqs:", "pycurl", "sqs"), ("redis://localhost", "redis", "redis")]
)
def test_an_extra_that_is_not_installed_is_named(
    url: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'nafuda\[{extra}\]'"):
        celery_config(Settings(broker_url=url), consumes=True)


def test_a_redis_behind_tls_must_show_a_certificate() -> None:
    secure = celery_config(Settings(broker_url="rediss://localhost"), consumes=True)
    assert secure["broker_use_ssl"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert celery_config(Settings(broker_url="redis://localhost"), consumes=True)["broker_use_ssl"] is None


def test_patience_with_a_silent_broker_is_a_setting() -> None:
    patient = Settings(broker_url="amqp://localhost//", broker_heartbeat=timedelta(seconds=7))
    assert celery_config(patient, consumes=True)["broker_heartbeat"] == 7
    embedded = Settings(database_url="postgresql://u:p%40ss@db:5433/nafuda", database_silence=timedelta(seconds=8))
    options = celery_config(embedded, consumes=True)["broker_transport_options"]
    assert isinstance(options, dict)
    parameters = conninfo_to_dict(options["conn_string"])
    assert (parameters["tcp_user_timeout"], parameters["password"], parameters["port"]) == ("8000", "p@ss", "5433")


def test_who_polls_the_embedded_broker_always_has_room_for_another_hint() -> None:
    """Else a worker whose hands were full when one came finds it a second after they are free."""
    config = celery_config(Settings(), consumes=True)
    held = Settings().concurrency * int(str(config["worker_prefetch_multiplier"]))
    assert held >= Settings().concurrency + HINTS_UNDER_WAY * len(QUEUES)
