"""Time and change: a clock that jumps, a schema that is migrated, many deaths at once, while everything works."""

import random
import time
from pathlib import Path

import psycopg

from infra.records.migrate import migrate
from tests.faults.deployment import ROLES, Deployment
from tests.stack import packages

_CLOCK = Path(__file__).with_name("clock.c")
_JUMP = "-3600"  # seconds


def clock_back(role: str, site: Deployment, seconds: float) -> None:
    """A process' clock is put back by an hour, and later forward again; others', and the database's, are right."""
    child, clock = site.roles.children[role], site.folder / f"{role}.clock"
    clock.write_text("0", "ascii")
    before = child.environment
    child.environment = {**before, "LD_PRELOAD": str(_library(site.folder)), "NAFUDA_CLOCK": str(clock)}
    site.roles.renew(role)
    for jump in (_JUMP, "0"):
        time.sleep(seconds / 2)
        clock.write_text(jump, "ascii")
    child.environment = before
    site.roles.renew(role)


def migrated(site: Deployment, seconds: float) -> None:
    """Migrations are taken back, as if they were new, and applied beside the workers.

    The last one only makes a table that older code knows not, so it stays.
    """
    address = site.services.settings.database_url
    with psycopg.connect(address) as before:
        before.execute("ALTER TABLE records ADD COLUMN scoring integer")
        before.execute("DELETE FROM schema_version WHERE version >= 5")
    time.sleep(seconds / 2)
    assert migrate(address) == ["0005_unused.sql", "0006_erased.sql"]
    time.sleep(seconds / 2)


def storm(site: Deployment, seconds: float) -> None:
    """kill −9 of whatever chance names, a process or a server, every second or so."""
    choose = random.Random(seconds)
    names = [words[0] for words in ROLES]
    servers = ["minio", "opensearch", "postgres", "rabbitmq"]
    choose.shuffle(servers)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for role in choose.sample(names, 3):
            site.roles.kill(role)
        time.sleep(choose.uniform(0.5, 2))
        if servers:
            server = servers.pop()
            site.stack.kill(server)
            time.sleep(choose.uniform(0.5, 2))
            site.stack.up(server)


def _library(folder: Path) -> Path:
    """`clock.c`, compiled."""
    library = folder / "clock.so"
    if not library.exists():
        compiler = packages.program("cc", "a process' clock is moved by a library of ours", "gcc", "libc6-dev")
        packages.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, _CLOCK], "a C compiler is needed")
    return library
