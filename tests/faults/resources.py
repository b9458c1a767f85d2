"""What a machine runs out of: memory, files, disk, time; and processes that stand still."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tasks.doctor import examine
from tests.faults.deployment import DERIVED, Deployment
from tests.stack.rabbitmq import VHOST, RabbitMQ

_BURST = 40  # images
_HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"


def frozen(role: str, site: Deployment, seconds: float) -> None:
    """A process that stands still for longer than NAFUDA_SILENT, and then goes on as if nothing had been."""
    site.roles.kill(role, signal.SIGSTOP)
    time.sleep(max(seconds, 8))
    site.roles.kill(role, signal.SIGCONT)


def short_of_memory(role: str, site: Deployment, seconds: float) -> None:
    """A process gets no more memory, when more images than ever come at once. (The kernel's remedy is kill −9.)"""
    with _limited(site.roles.pid(role), resource.RLIMIT_AS, 1):
        site.uploads.put(_BURST)
        time.sleep(seconds)


def out_of_files(role: str, site: Deployment, seconds: float) -> None:
    """A process can open no file and no connection, just when it has to connect again."""
    with _limited(site.roles.pid(role), resource.RLIMIT_NOFILE, 3):
        with psycopg.connect(site.services.settings.database_url) as connection:
            connection.execute(_HANG_UP, [f"nafuda {role}"])
        time.sleep(seconds)


def broker_disk_full(site: Deployment, seconds: float) -> None:
    """RabbitMQ takes nothing while its disk is below a limit: who publishes waits."""
    server = site.stack.server("rabbitmq")
    assert isinstance(server, RabbitMQ)
    server.control("set_disk_free_limit", "1000000GB")
    time.sleep(seconds)
    server.control("set_disk_free_limit", "200MB")


def derived_disk_full(site: Deployment, seconds: float) -> None:
    """The disk of thumbnails is full: nothing more can be written there, and then something is removed."""
    with _filled(site.folder / DERIVED):
        time.sleep(seconds)


def server_disk_full(name: str, site: Deployment, seconds: float) -> None:
    """A server's disk is full to the last block, while many images come; one that ended over it is started again."""
    with _filled(site.stack.server(name).folder):
        site.uploads.put(_BURST)
        time.sleep(seconds)
    site.stack.up(name)


def broker_own_disk_full(site: Deployment, seconds: float) -> None:
    """RabbitMQ's disk is full to the last block. Its queues fall over it, though it answers and calls itself healthy:
    whoever watches them has to start it again."""
    server_disk_full("rabbitmq", site, seconds)
    server = site.stack.server("rabbitmq")
    assert isinstance(server, RabbitMQ)
    if "down" in server.control("list_queues", "-p", VHOST, "state"):
        assert not next(found for found in examine(site.services) if found.name == "broker").ok
        site.stack.kill("rabbitmq")
        site.stack.up("rabbitmq")


def store_disk_full(site: Deployment, seconds: float) -> None:
    """MinIO's disk is full to the last block, while what it took before is worked on. It refuses; people try again."""
    site.uploads.put(_BURST)
    with _filled(site.stack.server("minio").folder):
        refused = site.uploads.refused
        time.sleep(seconds)
        assert site.uploads.refused > refused
    site.stack.up("minio")


def derived_read_only(site: Deployment, seconds: float) -> None:
    """The disk of thumbnails is remounted read-only, as the kernel does after an error, and then writable again."""
    place = site.folder / DERIVED
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    try:
        site.uploads.put(_BURST)
        time.sleep(seconds)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Whatever is free on a folder's disk is taken, for a while."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        for size in (1 << 26, 1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _limited(pid: int, what: int, soft: int) -> Iterator[None]:
    """A running process' soft limit, lowered for a while. One that died over it was replaced, and has its own."""
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (soft, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, what, before)
