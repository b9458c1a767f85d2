"""Silence that lasts longer than we need to notice it: a server that takes what is sent, and never answers."""

import time
from collections.abc import Mapping
from http import HTTPStatus

from tests.faults import health
from tests.faults.deployment import ROLES, Deployment

_WORKERS = tuple(words[0] for words in ROLES if words[0] != "web")
_TAKE_HINTS = ("ingest", "vision", "language", "merge")
_SAID: Mapping[str, Mapping[str, str]] = {  # what a role says of a server, once it found it away by itself
    "rabbitmq": {
        **dict.fromkeys(_TAKE_HINTS, "Connection to broker lost"),
        "listen": "no events come",
        "sweep": "the broker is away",
    },
    "postgres": dict.fromkeys(_WORKERS, "the database is away"),
    "opensearch": {"merge": "the search index is away"},
    "minio": {},
}
# Seconds. Two heartbeats of 20 s that did not come, and what is tried then; a statement's time twice; S3's and
# OpenSearch's time-outs of 10 s, with what is tried again.
LONG = {"rabbitmq": 70.0, "postgres": 70.0, "opensearch": 30.0, "minio": 30.0}
_NEEDED = ("postgres", "opensearch", "minio")  # by the pages
_READY = 40.0  # seconds in which they say that they are not ready


def half_open(name: str, site: Deployment, seconds: float) -> None:
    """Nothing passes, and no connection ends. Held long enough, each role must have found out before it is over:
    Toxiproxy ends every connection then, and whoever did not would be told by that."""
    long = seconds >= LONG[name]
    before = {role: child.log.stat().st_size for role, child in site.roles.children.items()}
    with site.network.toxic(name, "timeout", timeout=0):
        time.sleep(seconds)
        if long:
            unaware = [role for role, said in _SAID[name].items() if said not in _new(site, role, before[role])]
            assert not unaware, f"{', '.join(unaware)} did not find {name} away in {seconds} s\n{site.roles.tell()}"
        if long and name in _NEEDED:
            status = health.ready(site, _READY)
            assert status == HTTPStatus.SERVICE_UNAVAILABLE, f"web says {status} without {name}"


def _new(site: Deployment, role: str, since: int) -> str:
    """What a role logged after so many bytes."""
    with site.roles.children[role].log.open("rb") as log:
        log.seek(since)
        return log.read().decode(errors="replace")
