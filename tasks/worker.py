"""A worker process: roles from the command line, a Celery worker over their queues, loops beside it."""

import logging
import signal
import threading
from types import FrameType

from celery import Celery
from celery.signals import worker_shutting_down

from infra.processes import run_as_batch
from tasks.app import build_app
from tasks.encode import encode
from tasks.ending import Ending
from tasks.follow import listen
from tasks.loops import Loop, keep
from tasks.roles import COMPUTING, LOOP_ROLES, check_roles, open_rounds
from tasks.services import Services
from tasks.sweep import run_heartbeat, run_sweeper

log = logging.getLogger(__name__)
_LOOPS: dict[str, Loop] = {
    "listen": listen,
    "sweep": run_sweeper,
    "encode": encode,
}


def run_worker(services: Services) -> int:
    """Work until SIGTERM or SIGINT, then drain within the grace time; a second signal ends at once. The exit code."""
    check_roles(services.roles)
    if COMPUTING.intersection(services.roles):
        run_as_batch()  # decoders and models wake each other all the time; so they keep their caches a little longer
    stop, ending = threading.Event(), Ending(services)
    if services.settings.metrics_port:
        services.metrics.serve(services.settings.metrics_host, services.settings.metrics_port)
    services.work.beat()
    loops = [run_heartbeat, *(_LOOPS[role] for role in services.roles if role in LOOP_ROLES)]
    threads = [threading.Thread(target=keep, args=(loop, services, stop), name=loop.__name__) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        with open_rounds(services) as rounds:
            if rounds:
                return _celery(build_app(services, rounds), sorted(rounds), services.settings.concurrency, ending)
            _wait_for_signal(stop, ending)
            return 0
    finally:
        stop.set()
        for thread in threads:
            thread.join(5)
        services.close()


def _celery(app: Celery, queues: list[str], concurrency: int, ending: Ending) -> int:
    """Celery's own worker: threads, because the work waits for decoders, the device and the database."""
    worker = app.Worker(
        pool="threads",
        concurrency=concurrency,
        queues=queues,
        loglevel=logging.getLogger().getEffectiveLevel(),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker_shutting_down.connect(ending.ask)  # its handler sends this at the first signal
    worker.start()
    return int(worker.exitcode or 0)


def _wait_for_signal(stop: threading.Event, ending: Ending) -> None:
    def ask(number: int, _: FrameType | None) -> None:
        log.info("stopping on signal %s", signal.Signals(number).name)
        ending.ask()
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    while not stop.wait(0.5):
        pass
