"""Hints to a broker that does not answer: said once, waited for once a while, lost without harm (R42, R72)."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from infra.settings import Settings
from tasks.services import Services


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
    services.close()
