"""What a machine runs out of: memory, files, disk, time; and processes that stand still."""

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.deployment import DERIVED, Deployment
from tests.stack.rabbitmq import RabbitMQ

_SPARE = 8 << 20  # bytes of address space that a process short of memory still gets


def frozen(role: str, site: Deployment, seconds: float) -> None:
    """A process that stands still for longer than NAFUDA_SILENT, and then goes on as if nothing had been."""
    site.roles.kill(role, signal.SIGSTOP)
    time.sleep(max(seconds, 8))
    site.roles.kill(role, signal.SIGCONT)


def short_of_memory(role: str, site: Deployment, seconds: float) -> None:
    """Every larger allocation of a process fails."""
    pid = site.roles.pid(role)
    with _limited(pid, resource.RLIMIT_AS, _address_space(pid) + _SPARE):
        time.sleep(seconds)


def out_of_files(role: str, site: Deployment, seconds: float) -> None:
    """A process can open no file and no connection."""
    pid = site.roles.pid(role)
    with _limited(pid, resource.RLIMIT_NOFILE, len(list(Path(f"/proc/{pid}/fd").iterdir()))):
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
    ballast = site.folder / DERIVED / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        except OSError:
            pass
    time.sleep(seconds)
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


def _address_space(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()
