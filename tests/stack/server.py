"""What every server of the stack is: installed, started, asked until it answers, stopped; each may be repeated."""

import os
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from schemas.errors import ConfigurationError, TransientError
from tests.stack import processes
from tests.stack.places import LOOPBACK, Place


class Server(ABC):
    """One server. A subclass says where its programs come from, how it starts, and which query proves that it works."""

    name: ClassVar[str]
    stands_for_it: ClassVar[str]  # with this variable set, the server exists already and none is started
    ends_at: ClassVar[signal.Signals] = signal.SIGTERM
    start_limit: ClassVar[timedelta] = timedelta(minutes=3)

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = place.folder / self.name
        self.log = self.folder / "log"

    @property
    @abstractmethod
    def port(self) -> int:
        """Where it listens for clients."""

    @abstractmethod
    def install(self) -> None:
        """Bring its programs onto this machine, if they are not there."""

    @abstractmethod
    def prepare(self) -> None:
        """Write its configuration, and what it needs before its first start."""

    @abstractmethod
    def command(self) -> list[str | Path]:
        """What starts it in the foreground."""

    @abstractmethod
    def ask(self) -> str:
        """What a real query says of it: name and version. TransientError while it does not answer."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The variables by which tests and Nafuda find it."""

    def variables(self) -> Mapping[str, str]:
        """What its own process finds in its environment, beside the common ones."""
        return {}

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return processes.noted(self._note)

    def up(self) -> None:
        """Install and start it, unless it runs. `wait` tells when it works."""
        if self.pid is not None:
            return
        self.install()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self._port_is_free()
        self.launch()

    def launch(self) -> None:
        """Start its process."""
        processes.spawn(self.command(), self.process_environment(), self.log, self._note)

    def wait(self) -> str:
        """Wait until its query is answered; returns the answer. ConfigurationError when it ends instead."""
        deadline = time.monotonic() + self.start_limit.total_seconds()
        while True:
            try:
                return self.ask()
            except TransientError as error:
                if self.pid is None:
                    raise ConfigurationError(f"{self.name} ended; the end of {self.log}:\n{self._said()}") from error
                if time.monotonic() > deadline:
                    raise TransientError(f"{self.name} did not answer within {self.start_limit}: {error}") from error
                time.sleep(0.1)

    def down(self) -> None:
        """Stop it; what it stores stays."""
        processes.end(self._note, self.ends_at)

    def process_environment(self) -> dict[str, str]:
        """The whole environment of its process; NAFUDA_STACK_DIR marks it as one of this stack."""
        common = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)}
        return {**common, "NAFUDA_STACK_DIR": str(self.place.folder), **self.variables()}

    @property
    def _note(self) -> Path:
        return self.folder / "process"

    def _said(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-1500:]

    def _port_is_free(self) -> None:
        """Some servers take the next port, or start and fail later; nobody should look for the reason there."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, self.port))
            except OSError as error:
                raise ConfigurationError(
                    f"{self.name} should listen on {LOOPBACK}:{self.port}, which is taken ({error.strerror}); "
                    "end who listens there, or set NAFUDA_STACK_PORT"
                ) from error
