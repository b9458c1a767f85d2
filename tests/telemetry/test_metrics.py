"""A worker's metrics: answered where it is said, and nowhere else (R77)."""

import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from infra.telemetry.metrics import Sparing, WorkerMetrics
from schemas.errors import ConfigurationError, TransientError
from tests.e2e.instance import wait_for

ELSEWHERE = "127.0.0.2"  # Linux has all of 127.0.0.0/8 on loopback
HEALTH = Path(__file__).resolve().parents[2] / "docker" / "health.py"


@contextmanager
def sweeping(folder: Path, database: str, **given: str) -> Iterator[int]:
    """A worker process with metrics; gives their port."""
    with socket.socket() as probe:
        probe.bind((ELSEWHERE, 0))
        port = int(probe.getsockname()[1])
    settings = {"DATA": str(folder), "DATABASE_URL": database, "BROKER_URL": "memory://", "METRICS_PORT": str(port)}
    environment = {**os.environ, **{f"NAFUDA_{name}": value for name, value in {**settings, **given}.items()}}
    process = subprocess.Popen([sys.executable, "-m", "nafuda", "worker", "sweep"], env=environment)
    try:
        yield port
    finally:
        process.terminate()
        assert process.wait(30) == 0


def answers(host: str, port: int) -> bool:
    try:
        return "nafuda_server_away" in httpx2.get(f"http://{host}:{port}/metrics").raise_for_status().text
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize(
    ("given", "here", "not_here"),
    [({}, "127.0.0.1", ELSEWHERE), ({"METRICS_HOST": ELSEWHERE}, ELSEWHERE, "127.0.0.1")],
)
def test_they_are_answered_on_loopback_or_where_it_is_said(
    given: dict[str, str], here: str, not_here: str, tmp_path: Path, database: str
) -> None:
    with sweeping(tmp_path, database, **given) as port:
        wait_for(lambda: answers(here, port), 60)
        assert not answers(not_here, port)


def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigurationError, match="NAFUDA_METRICS_PORT"),
    ):
        WorkerMetrics().serve("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"NAFUDA_METRICS_PORT": "9464"}, "http://127.0.0.1:9464/metrics"),
        ({"NAFUDA_METRICS_PORT": "9464", "NAFUDA_METRICS_HOST": "0.0.0.0"}, "http://127.0.0.1:9464/metrics"),
        ({"NAFUDA_METRICS_PORT": "9464", "NAFUDA_METRICS_HOST": ELSEWHERE}, f"http://{ELSEWHERE}:9464/metrics"),
        ({}, "http://127.0.0.1:8420/health"),
    ],
)
def test_a_container_asks_its_worker_where_it_answers(
    given: dict[str, str], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NAFUDA_METRICS_PORT", "NAFUDA_METRICS_HOST", "NAFUDA_WEB_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert runpy.run_path(str(HEALTH))["address"]() == asked


class Ledger:
    """Something to count that takes so many seconds, by a clock of its own."""

    def __init__(self, takes: float) -> None:
        self.takes = takes
        self.now = 0.0
        self.counted = 0

    def count(self) -> int:
        self.now += self.takes
        self.counted += 1
        return self.counted


def test_what_is_counted_in_a_moment_is_counted_whenever_it_is_asked_for() -> None:
    ledger = Ledger(takes=0.01)
    sparing = Sparing(ledger.count, lambda: ledger.now)
    assert [sparing() for _ in range(3)] == [1, 2, 3]


def test_what_takes_long_to_count_is_counted_for_a_twentieth_of_the_time() -> None:  # R77
    ledger = Ledger(takes=2)
    sparing = Sparing(ledger.count, lambda: ledger.now)
    while ledger.now < 400:
        told = sparing()
        assert told == ledger.counted
        ledger.now += 1
    assert ledger.counted == 10


def test_several_who_ask_at_once_wait_for_one_count() -> None:
    ledger = Ledger(takes=2)
    sparing = Sparing(ledger.count, lambda: ledger.now)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: sparing(), range(8))) == {1}


def test_a_count_that_fails_is_told_by_nobody() -> None:
    answers = iter([7])
    ledger = Ledger(takes=2)

    def count() -> int:
        if ledger.count() == 2:
            raise TransientError("the database is away")
        return next(answers)

    sparing = Sparing(count, lambda: ledger.now)
    assert sparing() == 7
    ledger.now += 100
    with pytest.raises(TransientError):
        sparing()
    with pytest.raises(StopIteration):  # counted anew, not the 7 of before
        sparing()
