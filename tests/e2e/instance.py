"""A whole Nafuda in a folder of its own: started as a person would, looked at through its command line and pages."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from infra.settings import INSTANCE, Settings
from tasks.services import Services

_READY = "sign in once with"
_CHILDREN = ("analysis", "records", "web")


class Instance:
    """A running `nafuda run` on `folder`."""

    def __init__(self, folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.output = folder.with_name(folder.name + ".out")
        self._arguments = arguments
        self._environment = {**os.environ, **(environment or {}), "NAFUDA_DATA": str(folder)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Instance":
        """Start it and wait until the pages answer."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nafuda", "run", "--port", "0", *self._arguments],
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        started = self.said().count(_READY)
        wait_for(lambda: self._ready_or_dead(started), 120, lambda: self.said() + self.logs())
        return self

    def _ready_or_dead(self, started: int) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it ended while starting\n{self.said()}{self.logs()}"
        return self.said().count(_READY) > started

    def said(self) -> str:
        """What it printed."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def logs(self) -> str:
        """The ends of its children's logs."""
        logs = sorted((self.folder / "logs").glob("*.log")) if self.folder.exists() else []
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)

    @property
    def note(self) -> dict[str, Any]:
        """What it left about itself."""
        read: dict[str, Any] = json.loads((self.folder / INSTANCE).read_text())
        return read

    @property
    def link(self) -> str:
        """The latest one-time sign-in link."""
        found: list[str] = re.findall(r"sign in once with (\S+)", self.said())
        return found[-1]

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `nafuda` command on it."""
        command = [sys.executable, "-m", "nafuda", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=900)

    def json(self, *arguments: str) -> Any:
        """The JSON lines of a command: one value, or a list when there are several lines."""
        done = self.cli(*arguments, "--json")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines, f"{arguments} printed nothing: {done.stderr}"
        return lines if len(lines) > 1 else lines[0]

    @contextmanager
    def services(self) -> Iterator[Services]:
        """Its ports, for looking at it from inside."""
        services = Services(Settings(data=self.folder, database_url=self.note["database_url"]))
        yield services
        services.close()

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query; tried again while the database recovers."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(self.note["database_url"], autocommit=True) as connection:
                    return connection.execute(query.encode()).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def processes(self) -> list[tuple[int, str]]:
        """(process id, command line) of everything below it."""
        assert self.process is not None
        return _descendants(self.process.pid)

    def children(self) -> dict[str, int]:
        """Process ids below it by name: its own children, their decoders, the database."""
        found: dict[str, int] = {}
        for pid, command in self.processes():
            name = next((n for n in _CHILDREN if n in _names(command)), None)
            if name is None:
                name = "decoder" if "workers.decode.child" in command else None
            if name is None and "postgres" in command and "-D" in command:
                name = "postgres"
            if name is not None:
                found[name] = pid
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)


def _names(command: str) -> set[str]:
    if "nafuda\0worker\0ingest" in command:
        return {"analysis"}
    if "nafuda\0worker\0merge" in command:
        return {"records"}
    return {"web"} if "nafuda\0web" in command else set()


def _descendants(root: int) -> list[tuple[int, str]]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    below, found = {root}, []
    for _ in range(6):
        below |= {pid for pid, parent in parents.items() if parent in below}
    for pid in sorted(below - {root}):
        try:
            found.append((pid, Path(f"/proc/{pid}/cmdline").read_text()))
        except OSError:
            continue
    return found


def wait_for(ready: Callable[[], bool], seconds: float, tell: Callable[[], str] = lambda: "") -> None:
    """Wait until something is so; fails with what `tell` says."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not so within {seconds} s\n{tell()}"
        time.sleep(0.1)
