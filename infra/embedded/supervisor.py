"""A supervisor of child processes: starts them in order, brings back those that die, ends them gently."""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from infra.processes import die_with_parent

log = logging.getLogger(__name__)
_STEADY = timedelta(seconds=30)  # a child that lived so long starts with a fresh back-off
_LONGEST_PAUSE = timedelta(seconds=15)


@dataclass
class Child:
    """One process that should always run. Its output goes to `log`."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    again_at: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches the supervisor, which ends its children in order."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  prctl and getppid only
            )
        self.started = time.monotonic()

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self.process is not None and self.process.poll() is None


@dataclass
class Supervisor:
    """Children in starting order. `watch` runs until told to stop; `stop`, after that, ends everything that runs."""

    children: list[Child] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)  # so that none is started while all are ended

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            child.start()

    def watch_once(self) -> None:
        """Bring back what died, after a pause that grows while it keeps dying."""
        now = time.monotonic()
        for child in self.children:
            if child.running:
                continue
            if not child.again_at:
                lived = now - child.started
                child.deaths = 1 if lived > _STEADY.total_seconds() else child.deaths + 1
                pause = min(0.2 * 2 ** min(child.deaths - 1, 16), _LONGEST_PAUSE.total_seconds())
                child.again_at = now + pause
                code = child.process.returncode if child.process else None
                log.warning("%s ended with %s; starting it again in %.1f s", child.name, code, pause)
            elif now >= child.again_at:
                child.again_at = 0.0
                child.start()

    def watch(self, stop: threading.Event, ended: threading.Event, ready: Callable[[], bool] = lambda: True) -> None:
        """Keep the children running until told to stop, and `stop` if that breaks off. ready: False puts a look off.

        For a thread of its own. It stays until all children have `ended`: the kernel takes a parent for dead when the
        thread that started the child ends, and a child that is told so and then asked to end would not drain.
        """
        try:
            while not stop.wait(0.1):
                with self._turn:
                    if not stop.is_set() and ready():
                        self.watch_once()
        finally:
            stop.set()
            ended.wait()

    def stop(self, grace: timedelta) -> None:
        """SIGTERM to all, wait for them to drain, SIGKILL to those that did not within the grace time."""
        with self._turn:
            for child in self.children:
                _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + grace.total_seconds()
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("%s did not drain within %s and is killed", child.name, grace)
                _signal(child, signal.SIGKILL)
                child.process.wait()

    def kill(self) -> None:
        """End everything at once."""
        for child in self.children:
            _signal(child, signal.SIGKILL)


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process is not None and child.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(child.process.pid, number)
            else:
                child.process.send_signal(number)
