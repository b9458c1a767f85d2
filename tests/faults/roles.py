"""A process for each role, as on several machines, brought back when it dies."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from infra.embedded.supervisor import Child, Supervisor
from tests.e2e.instance import wait_for

_GRACE = timedelta(seconds=20)


class Roles:
    """Supervised processes by name: a worker's first role, or `web`. program: the module that is run."""

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        environment: Mapping[str, str],
        logs: Path,
        *,
        program: str = "nafuda",
    ) -> None:
        self.children = {
            words[0]: Child(
                words[0],
                [sys.executable, "-m", program, *(words if words[0] == "web" else ("worker", *words))],
                {**os.environ, **environment, "NAFUDA_PLACE": words[0]},
                logs / f"{words[0]}.log",
            )
            for words in commands
        }
        self._supervisor = Supervisor(list(self.children.values()))

    @contextmanager
    def running(self) -> Iterator["Roles"]:
        """Start them, keep them running, and let them drain in the end: each must end with 0."""
        stop, ended = threading.Event(), threading.Event()
        watcher = threading.Thread(target=self._supervisor.watch, args=(stop, ended))
        self._supervisor.start()
        watcher.start()
        try:
            yield self
        finally:
            stop.set()
            self._supervisor.stop(_GRACE)
            ended.set()
            watcher.join()
        codes = {name: child.process.returncode for name, child in self.children.items() if child.process}
        assert not any(codes.values()), f"not all drained: {codes}\n{self.tell()}"

    def pid(self, name: str) -> int:
        """The process of a role; the latest one while it is being brought back."""
        process = self.children[name].process
        assert process is not None, name
        return process.pid

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a role's process and to all that it started."""
        os.killpg(self.pid(name), number)

    def renew(self, name: str) -> None:
        """Let a role end in peace; its supervisor starts it again."""
        pid = self.pid(name)
        self.kill(name, signal.SIGTERM)
        wait_for(lambda: self.pid(name) != pid, 60, self.tell)

    def tell(self) -> str:
        """The ends of their logs."""
        return "\n".join(
            f"== {name}\n{child.log.read_text(errors='replace')[-2000:]}"
            for name, child in self.children.items()
            if child.log.exists()
        )
