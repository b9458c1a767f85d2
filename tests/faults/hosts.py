"""A host of its own for one worker: a network namespace, whose only line to us can be pulled out. Needs root."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.embedded.supervisor import Child
from infra.records.pool import session
from tests.e2e.instance import wait_for
from tests.faults.deployment import Deployment
from tests.stack import packages

_NAME = "nafuda-host"
_LINE = "nafuda0"  # our end of it
_OURS, _THEIRS = "10.221.7.1", "10.221.7.2"
_MANY = 256  # images: so many chunks that it is seen at one of them
_CLAIMS = b"SELECT count(*) FROM work WHERE claimed_by LIKE %s"


def cut_off(role: str, site: Deployment, seconds: float) -> None:
    """A second worker on a host whose line falls silent while it works, for so long that it is counted dead, and others
    do what it had claimed. It comes back by itself, and ends in peace when all has settled."""
    site.guests.enter_context(_guest(role, site))
    wait_for(lambda: _heard(site, role), 60)
    with site.uploads.meanwhile(_MANY, 0):
        wait_for(lambda: _claims(site) > 0, 60, lambda: _said(site))
        begun = time.monotonic()
        _ip("link", "set", _LINE, "down")
        try:
            wait_for(lambda: not _heard(site, role) and _claims(site) == 0, 60, site.roles.tell)
            time.sleep(max(0.0, begun + seconds - time.monotonic()))
        finally:
            _ip("link", "set", _LINE, "up")


@contextmanager
def _guest(role: str, site: Deployment) -> Iterator[None]:
    with _host():
        worker = _worker(role, site)
        worker.start()
        try:
            yield
            wait_for(lambda: _heard(site, role), 60, lambda: _said(site))
        finally:
            assert worker.process is not None
            worker.process.send_signal(signal.SIGTERM)
            assert worker.process.wait(60) == 0, _said(site)


def _said(site: Deployment) -> str:
    return _log(site).read_text(errors="replace")[-3000:]


def _log(site: Deployment) -> Path:
    return site.folder / f"{_NAME}.log"


def _claims(site: Deployment) -> int:
    with session(site.services.pool) as connection:
        row = connection.execute(_CLAIMS, [f"%{_NAME}%"]).fetchone()
    assert row is not None
    return int(row[0])


def _worker(role: str, site: Deployment) -> Child:
    """Its servers are reached through proxies on our end of the line."""
    environment = dict(site.roles.children[role].environment)
    for variable, (name, port) in site.ports.items():
        moved = site.network.proxy(f"{name} for {variable}, {time.monotonic()}", site.stack.server(name).port, _OURS)
        environment[variable] = environment[variable].replace(f"127.0.0.1:{port}", f"{_OURS}:{moved}")
    command = ["ip", "netns", "exec", _NAME, sys.executable, "-m", "nafuda", "worker", role]
    return Child(role, command, {**environment, "NAFUDA_PLACE": _NAME}, _log(site))


def _heard(site: Deployment, role: str) -> bool:
    return any(
        _NAME in name and role in roles for name, roles in site.services.work.alive(site.services.settings.silent)
    )


@contextmanager
def _host() -> Iterator[None]:
    packages.program("ip", "hosts are network namespaces", "iproute2")
    _ip("netns", "add", _NAME)
    try:
        _ip("link", "add", _LINE, "type", "veth", "peer", "name", "line", "netns", _NAME)
        _ip("address", "add", f"{_OURS}/30", "dev", _LINE)
        _ip("link", "set", _LINE, "up")
        for words in (("address", "add", f"{_THEIRS}/30", "dev", "line"), ("link", "set", "line", "up"),
                      ("link", "set", "lo", "up")):  # fmt: skip
            _ip("-n", _NAME, *words)
        yield
    finally:
        _ip("netns", "delete", _NAME)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
