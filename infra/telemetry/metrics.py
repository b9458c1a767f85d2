"""Prometheus metrics: counters of what a process did, and gauges read from the ledgers when they are scraped."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.errors import ConfigurationError
from schemas.ledger import StageCount

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_CHEAP = 0.05  # seconds of counting that may be done for every scrape
_SHARE = 20  # what took longer is done for one part in so many of the time

Told = TypeVar("Told")


class WorkerMetrics:
    """What one worker process did since it started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.done = Counter("nafuda_done", "Subjects that a stage finished", ["stage"], registry=self.registry)
        self.failed = Counter(
            "nafuda_failures", "Failed attempts by stage and code", ["stage", "code"], registry=self.registry
        )
        self.rounds = Histogram(
            "nafuda_round_seconds", "Duration of a chunk", ["stage"], registry=self.registry, buckets=_SECONDS
        )
        self.away = Gauge("nafuda_server_away", "1 while a server does not answer", ["server"], registry=self.registry)

    def serve(self, host: str, port: int) -> None:
        """Answer scrapes there, whoever asks. ConfigurationError when that is not to be had."""
        try:
            start_http_server(port, addr=host, registry=self.registry)
        except OSError as error:
            remedy = "set NAFUDA_METRICS_HOST to an address of this machine, NAFUDA_METRICS_PORT to a free port"
            raise ConfigurationError(f"metrics on {host}, port {port}: {error}; {remedy}") from error


class Sparing(Generic[Told]):
    """A count that is told again for a while where it took long, so that scrapes do not keep the database busy."""

    def __init__(self, count: Callable[[], Told], clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds that only grow."""
        self._count = count
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[Told, float] | None = None  # and until when

    def __call__(self) -> Told:
        """As it is, or as it was not long ago. An error is nobody's answer: the next who asks counts anew."""
        with self._lock:  # several scrapers wait for one count
            begun = self._clock()
            if self._known is not None and begun < self._known[1]:
                return self._known[0]
            self._known = None
            told, now = self._count(), self._clock()
            took = now - begun
            self._known = told, now + (took * (_SHARE - 1) if took > _CHEAP else 0)
            return told


Counts = Callable[[], Iterable[StageCount]]
Waiting = Callable[[], Mapping[str, int]]
Records = Callable[[], Mapping[str, int]]
Lag = Callable[[], tuple[int, timedelta]]


class _Ledgers(Collector):
    def __init__(self, counts: Counts, waiting: Waiting, records: Records, lag: Lag) -> None:
        self._read = Sparing(lambda: (tuple(counts()), waiting(), records(), lag()))

    def collect(self) -> Iterable[Metric]:
        """Read now, or not long ago where that takes long."""
        counts, waits, statuses, (behind, lag) = self._read()
        work = GaugeMetricFamily("nafuda_work", "Work by stage and state", labels=["stage", "state"])
        for each in counts:
            work.add_metric([each.stage, each.state], each.count)
        yield work
        waiting = GaugeMetricFamily("nafuda_backfill_waiting", "Work that waits below live work", labels=["stage"])
        for stage, count in waits.items():
            waiting.add_metric([stage], count)
        yield waiting
        records = GaugeMetricFamily("nafuda_records", "Records by status and visibility", labels=["status"])
        for status, count in statuses.items():
            records.add_metric([status], count)
        yield records
        yield GaugeMetricFamily("nafuda_index_behind", "Documents that wait for the search index", behind)
        yield GaugeMetricFamily(
            "nafuda_index_lag_seconds", "How long the first of them has been due", lag.total_seconds()
        )


def ledger_metrics(counts: Counts, waiting: Waiting, records: Records, lag: Lag) -> Callable[[], bytes]:
    """A function that gives the Prometheus text of the ledgers as they are when it is called.

    counts, waiting, records, lag: read from the database, for a twentieth of the time at most, whoever asks.
    """
    registry = CollectorRegistry()
    registry.register(_Ledgers(counts, waiting, records, lag))
    return lambda: generate_latest(registry)
