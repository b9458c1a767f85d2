"""The faults: each breaks something, waits, and mends it. What is killed is brought back by its supervisor or by us."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx2
import psycopg

from tests.faults import hosts, memory, resources, silence, times
from tests.faults.deployment import ROLES, Deployment
from tests.stack.searching import turning_away

Breaks = Callable[[Deployment, float], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """breaks: returns when all is mended, after so many seconds at least. brief: also in the shortened round. missing:
    why this machine cannot do it, or "". least: seconds that it lasts in the full round, whatever others do."""

    name: str
    breaks: Breaks
    brief: bool = True
    missing: Callable[[], str] = str
    least: float = 0.0


def _process(role: str, site: Deployment, seconds: float) -> None:
    """kill −9 twice: at work, and again while it takes up what it left."""
    for _ in range(2):
        time.sleep(seconds / 2)
        site.roles.kill(role)


def _server(name: str, site: Deployment, seconds: float) -> None:
    time.sleep(1)
    site.stack.kill(name)
    time.sleep(seconds)
    site.stack.up(name)


def _wiped(name: str, stored: str, site: Deployment, seconds: float) -> None:
    """kill −9, and all that it had stored is gone."""
    time.sleep(1)
    site.stack.kill(name)
    site.stack.server(name).down()  # what it started besides
    shutil.rmtree(site.stack.server(name).folder / stored)
    time.sleep(seconds)
    site.stack.up(name)


def _cut(name: str, site: Deployment, seconds: float) -> None:
    with site.network.cut(name):
        time.sleep(seconds)


def _toxic(name: str, kind: str, attributes: dict[str, int], site: Deployment, seconds: float) -> None:
    with site.network.toxic(name, kind, **attributes):
        time.sleep(seconds)


def _locked(site: Deployment, seconds: float) -> None:
    """Somebody's session holds the records."""
    with psycopg.connect(site.services.settings.database_url) as somebody:
        somebody.execute("LOCK TABLE records, work IN ACCESS EXCLUSIVE MODE")
        time.sleep(seconds)


def _read_only(site: Deployment, seconds: float) -> None:
    """What OpenSearch does to every index when its disk is nearly full; each write is refused with 429."""
    with httpx2.Client(base_url=site.services.settings.search_url, timeout=30) as server:
        server.put("/_all/_settings", json={"index.blocks.read_only_allow_delete": True}).raise_for_status()
        time.sleep(seconds)
        server.put("/_all/_settings", json={"index.blocks.read_only_allow_delete": None}).raise_for_status()


def _rejecting(site: Deployment, seconds: float) -> None:
    """OpenSearch has too much to do: it answers bulks, and turns each document away with 429."""
    with turning_away(site.services.settings.search_url):
        time.sleep(seconds)


_TOXICS: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("2 s late", "latency", {"latency": 2000}),
    ("10 kB/s", "bandwidth", {"rate": 10}),
    ("connections reset", "reset_peer", {"timeout": 500}),
)
_NAMES = {"rabbitmq": "RabbitMQ", "minio": "MinIO", "postgres": "PostgreSQL", "opensearch": "OpenSearch"}
# Each server and each toxic is met once in the shortened round, besides being cut off.
_BRIEF = {
    ("minio", "10 kB/s"),
    ("postgres", "connections reset"),
    ("opensearch", "2 s late"),
}

_WORKING = ("ingest", "vision", "merge")
_TIMED = ("ingest", "merge", "sweep")
_MINUTE = 60.0

FAULTS: tuple[Fault, ...] = (
    *(Fault(f"{words[0]}: kill −9", partial(_process, words[0])) for words in ROLES),
    *(Fault(f"{name}: kill −9", partial(_server, server)) for server, name in _NAMES.items()),
    Fault("RabbitMQ: kill −9, disk wiped", partial(_wiped, "rabbitmq", "store")),
    Fault("OpenSearch: kill −9, data wiped", partial(_wiped, "opensearch", "node_1/data")),
    *(Fault(f"{name}: cut off", partial(_cut, server)) for server, name in _NAMES.items()),
    *(
        Fault(f"{name}: {what}", partial(_toxic, server, kind, attributes), (server, what) in _BRIEF)
        for server, name in _NAMES.items()
        for what, kind, attributes in _TOXICS
    ),
    *(
        Fault(
            f"{name}: half-open",
            partial(silence.half_open, server),
            server == "rabbitmq",
            least=silence.LONG[server],
        )
        for server, name in _NAMES.items()
    ),
    Fault("PostgreSQL: a lock is held", _locked, least=_MINUTE),
    Fault("OpenSearch: read-only, as with a full disk", _read_only),
    Fault("OpenSearch: turns every document away", _rejecting),
    Fault("RabbitMQ: takes nothing, as with a full disk", resources.broker_disk_full),
    Fault("PostgreSQL: disk full", partial(resources.server_disk_full, "postgres"), brief=False),
    Fault("OpenSearch: disk full", partial(resources.server_disk_full, "opensearch"), brief=False),
    Fault("RabbitMQ: disk full", resources.broker_own_disk_full, brief=False),
    Fault("MinIO: disk full", resources.store_disk_full, brief=False),
    Fault("thumbnails: disk full", resources.derived_disk_full, brief=False),
    Fault("thumbnails: disk read-only", resources.derived_read_only, brief=False),
    Fault("a migration beside the workers", times.migrated),
    *(Fault(f"{role}: clock back by an hour", partial(times.clock_back, role), brief=False) for role in _TIMED),
    Fault("any process, every server: kill −9", times.storm),
    Fault("a host with a worker: line cut", partial(hosts.cut_off, "vision"), brief=False, least=_MINUTE),
    *(Fault(f"{role}: frozen, then thawed", partial(resources.frozen, role), role == "vision") for role in _WORKING),
    Fault("ingest: no memory", partial(resources.short_of_memory, "ingest")),
    Fault("vision: killed for memory", partial(memory.killed_for_memory, "vision"), False, memory.missing),
    *(Fault(f"{role}: no file descriptors", partial(resources.out_of_files, role)) for role in _WORKING),
)
