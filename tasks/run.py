"""`nafuda run`: everything on one machine with one command, supervised, from an empty folder or where it left off."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import run as run_command
from types import FrameType

from infra.embedded.lock import DataLock, write_note
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.supervisor import Child, Supervisor
from infra.settings import INSTANCE, WHEREABOUTS, Settings
from schemas.errors import ConfigurationError, NafudaError
from tasks.ending import GIVING_BACK
from tasks.services import Services
from tasks.welcome import analysing, sign_in_link, summary

Say = Callable[[str], None]
WORKERS = {
    "analysis": ("worker", "ingest", "vision", "language", "encode"),
    "records": ("worker", "merge", "listen", "sweep"),
    "web": ("web",),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. samples: how many sample drawings an empty bucket gets."""

    samples: int


def run(settings: Settings, options: Options, say: Say) -> int:
    """Start everything, say where it is, keep it running until a signal, stop it in order. Returns the exit code."""
    stop = threading.Event()
    _stop_on_signals(stop, say)
    folder = settings.data.resolve()
    lock = DataLock(folder)
    (folder / INSTANCE).unlink(missing_ok=True)  # of one that was killed: its settings need not be ours
    try:
        with _database(settings, folder, say) as (database, postgres):
            settings = settings.model_copy(update={"data": folder, "database_url": database})
            settings = settings.model_copy(update={"web_port": free_port(settings, say)})
            _run_children(settings, options, postgres, stop, say)
    finally:
        (folder / INSTANCE).unlink(missing_ok=True)
        lock.release()
    say("stopped; everything is kept in " + str(folder))
    return 0


@contextmanager
def _database(settings: Settings, folder: Path, say: Say) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    if settings.database_url:
        yield settings.database_url, None
        return
    say("starting the database")
    postgres = EmbeddedPostgres(folder / "postgres", folder / "logs" / "postgres.log")
    postgres.start()
    try:
        yield postgres.conninfo, postgres
    finally:
        postgres.stop()


def _run_children(
    settings: Settings, options: Options, postgres: EmbeddedPostgres | None, stop: threading.Event, say: Say
) -> None:
    environment = _environment(settings)
    say("preparing models and tables")
    _prepare(environment, settings)
    children = [
        _child(settings, name, arguments, {**environment, **_metrics(settings, place)})
        for place, (name, arguments) in enumerate(WORKERS.items())
    ]
    if options.samples:
        run_samples = ("samples", "--count", str(options.samples))
        _detached(_child(settings, "samples", run_samples, environment))
    supervisor, ended = Supervisor(children), threading.Event()
    services = Services(settings)
    try:
        supervisor.start()
        address = f"http://{settings.web_host}:{settings.web_port}"
        shared = {name: str(getattr(settings, name)) for name in WHEREABOUTS}
        write_note(settings.data / INSTANCE, {**shared, "address": address, "pid": os.getpid()})
        has_database = partial(_has_database, postgres, stop, say)  # what dies is brought back, the database first
        threading.Thread(target=supervisor.watch, args=(stop, ended, has_database), name="supervisor").start()
        if _wait_for_port(settings, stop):
            _welcome(services, address, options, stop, say)
        stop.wait()
    finally:
        stop.set()
        say("stopping: what is at work is finished or given back")
        supervisor.stop(settings.grace + 2 * GIVING_BACK)  # they end by themselves before that
        ended.set()
        services.close()


def _has_database(postgres: EmbeddedPostgres | None, stop: threading.Event, say: Say) -> bool:
    """True when it runs, or runs again; False when it does not start."""
    if postgres is None or postgres.alive():
        return True
    say("the database ended by itself and is started again")
    try:
        postgres.start()
    except NafudaError as error:
        say(f"the database did not start: {error}")
        stop.wait(2)
        return False
    return True


def _child(settings: Settings, name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Child:
    command = [sys.executable, "-m", "nafuda", *arguments]
    place = {**environment, "NAFUDA_PLACE": name}
    return Child(name, command, place, settings.data / "logs" / f"{name}.log")


def _metrics(settings: Settings, place: int) -> dict[str, str]:
    """Workers of one machine need a port each: the next ones, in the order of `WORKERS`."""
    return {"NAFUDA_METRICS_PORT": str(settings.metrics_port + place)} if settings.metrics_port else {}


def _detached(child: Child) -> None:
    """A child that ends by itself; it dies with us if it does not."""
    child.start()
    threading.Thread(target=lambda: child.process and child.process.wait(), daemon=True).start()


def _environment(settings: Settings) -> dict[str, str]:
    encoder = _any_port()
    return {
        **os.environ,
        "NAFUDA_DATA": str(settings.data),
        "NAFUDA_DATABASE_URL": settings.database_url,
        "NAFUDA_WEB_HOST": settings.web_host,
        "NAFUDA_WEB_PORT": str(settings.web_port),
        "NAFUDA_ENCODER_HOST": "127.0.0.1",
        "NAFUDA_ENCODER_PORT": str(encoder),
        "NAFUDA_ENCODER_URL": f"http://127.0.0.1:{encoder}",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _prepare(environment: Mapping[str, str], settings: Settings) -> None:
    """In a process of its own, so that the supervisor stays small."""
    done = run_command(
        [sys.executable, "-m", "nafuda", "migrate"], env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ConfigurationError(f"preparing {settings.data} failed:\n{done.stderr.strip()[-1500:]}")


def free_port(settings: Settings, say: Say) -> int:
    """The wanted port, or the next one that is free; says so when it moves on."""
    for port in range(settings.web_port, min(settings.web_port + 50, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.web_host, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
        if port not in (0, settings.web_port):
            say(f"port {settings.web_port} is taken, so the pages are on {found}")
        return found
    raise ConfigurationError(f"no free port from {settings.web_port} on; give --port N")


def _any_port() -> int:
    """A free port that nobody has to know."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


def _wait_for_port(settings: Settings, stop: threading.Event) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not stop.is_set():
        try:
            socket.create_connection((settings.web_host, settings.web_port), 1).close()
            return True
        except OSError:
            stop.wait(0.1)
    return False


def _welcome(services: Services, address: str, options: Options, stop: threading.Event, say: Say) -> None:
    say(f"\nNafuda is at {address}\nsign in once with {sign_in_link(services, address)}\n")
    if options.samples:
        analysing(services, options.samples, stop, say)
    if not stop.is_set():
        say(summary(services))


def _stop_on_signals(stop: threading.Event, say: Say) -> None:
    def ask(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(130)  # a second signal: at once; children die with us
        stop.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
