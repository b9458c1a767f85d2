"""Hints to a broker that does not answer: said once, waited for once a while, lost without harm (R42, R72)."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from kombu.connection import Connection
from prometheus_client import generate_latest

from infra.broker.transports import EXCHANGE
from infra.settings import Settings
from tasks.services import Services
from tests.stack.given import given


@contextmanager
def silent_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port that takes connections and never says a word, as a half-open one; and the connections that it took."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


def metrics_of(services: Services) -> str:
    return generate_latest(services.metrics.registry).decode()


def test_a_broker_that_does_not_answer_is_said_once_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with silent_server() as (port, taken):
        patience = timedelta(seconds=1)
        services = Services(Settings(data=tmp_path, broker_url=f"amqp://127.0.0.1:{port}//", broker_timeout=patience))
        for _ in range(50):
            services.send("ingest")
        assert len(taken) == 1
        assert [each for each in caplog.messages if "the broker is away" in each and "NAFUDA_BROKER_URL" in each]
        assert 'nafuda_server_away{server="broker"} 1.0' in metrics_of(services)
        services.close()


def test_a_hint_is_sent_when_the_pause_is_over_and_the_return_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    services = Services(Settings(data=tmp_path, broker_url="amqp://127.0.0.1:9//"))  # nobody listens there
    services.send("ingest")
    assert services.broker_outage.paused()
    back = services.settings.model_copy(update={"broker_url": "memory://"})
    services.__dict__.pop("sender").close()
    services.settings = back
    while services.broker_outage.paused():
        pass
    services.send("ingest")
    services.send("ingest")
    assert caplog.messages.count("the broker is back") == 1
    assert 'nafuda_server_away{server="broker"} 0.0' in metrics_of(services)
    services.close()


@pytest.mark.stack
def test_a_broker_that_refuses_a_hint_for_good_is_away_too_and_is_told_of_the_queue_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """R72: as RabbitMQ does whose queues were lost to a full disk. The client calls such an answer irrecoverable."""
    caplog.set_level(logging.INFO)
    url = given("NAFUDA_TEST_BROKER_URL")
    services = Services(Settings(data=tmp_path, broker_url=url))
    with Connection(url) as operator:
        operator.default_channel.queue_delete("ingest")
        services.send("ingest")
        operator.default_channel.exchange_delete(EXCHANGE)
    services.send("ingest")
    assert [each for each in caplog.messages if "the broker is away" in each and "NOT_FOUND" in each]
    while services.broker_outage.paused():
        pass
    services.send("ingest")
    assert caplog.messages.count("the broker is back") == 1
    with Connection(url) as operator:
        assert operator.default_channel.queue_delete("ingest") == 2
    services.close()
