"""What each kind of broker is told, without one (R72)."""

import ssl
import sys

import pytest

from infra.broker.config import celery_config
from infra.broker.transports import address
from infra.settings import Settings
from schemas.errors import ConfigurationError


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
