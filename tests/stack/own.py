"""A stack of a test's own, beside the common one, that may be broken; driven by the command line as a person would."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.__main__ import SERVERS
from tests.stack.places import PORTS, read_place
from tests.stack.server import Server


class OwnStack:
    """A folder, the ports after the common stack's, and the common cache."""

    def __init__(self, folder: Path) -> None:
        given = {name: value for name, value in os.environ.items() if not name.startswith("NAFUDA_TEST_")}
        port = read_place(os.environ).port + PORTS
        self.environment = {**given, "NAFUDA_STACK_DIR": str(folder), "NAFUDA_STACK_PORT": str(port)}
        self.place = read_place(self.environment)

    def say(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m tests.stack` on it."""
        command = [sys.executable, "-m", "tests.stack", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=600)

    def up(self, *names: str) -> dict[str, str]:
        """Bring servers up; returns the variables that it printed."""
        done = self.say("up", *names)
        assert done.returncode == 0, done.stderr
        lines = [line.removeprefix("export ") for line in done.stdout.splitlines()]
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def server(self, name: str) -> Server:
        """One of its servers, as it is."""
        return next(each for each in SERVERS if each.name == name)(self.place)

    def kill(self, name: str) -> None:
        """End a server without a warning."""
        pid = self.server(name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[str]:
        """Command lines of everything that was started for it and lives, whoever started it."""
        mark = f"NAFUDA_STACK_DIR={self.place.folder}".encode()
        return [command for environ, command in _everything() if mark in environ.split(b"\0")]


def _everything() -> Iterator[tuple[bytes, str]]:
    """Environment and command line of every process, but zombies and this one's own commands."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                yield (entry / "environ").read_bytes(), (entry / "cmdline").read_text(errors="replace")
            except OSError:  # it ended meanwhile
                continue


@contextmanager
def own_stack(folder: Path) -> Iterator[OwnStack]:
    """One that is down again in the end, whatever happened."""
    stack = OwnStack(folder)
    try:
        yield stack
    finally:
        stack.say("down")
