"""A loop beside the work is begun again, whatever ended it (R42, R77)."""

import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from infra.settings import Settings
from tasks.encode import encode
from tasks.loops import keep
from tasks.services import Services
from tests.e2e.instance import wait_for


def test_a_loop_that_an_error_ended_is_said_and_begun_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Here the error is a port that somebody else holds for a while."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = int(somebody.getsockname()[1])
        services = Services(Settings(data=tmp_path, encoder_port=port), ("encode",))
        loop = threading.Thread(target=keep, args=(encode, services, stop, timedelta(milliseconds=50)))
        loop.start()
        wait_for(lambda: "encode ended over an error that nobody foresaw; it begins again" in caplog.messages, 60)
        assert "Address already in use" in caplog.text
    try:
        wait_for(lambda: answers(port), 60)
    finally:
        stop.set()
        loop.join(60)
    assert not loop.is_alive()
    services.close()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
