"""Celery apps as our processes have them; as a program, a worker, or one that takes a hint and never confirms it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from celery import Celery
from celery.signals import worker_ready
from kombu.simple import SimpleQueue

from infra.broker.config import celery_config
from infra.settings import Settings
from schemas.pipeline import INGEST


def sender_of(settings: Settings) -> Celery:
    """An app that only sends."""
    app = Celery("sender", set_as_current=False)
    app.conf.update(celery_config(settings, consumes=False))
    return app


def receiver_of(settings: Settings) -> Celery:
    """An app that receives; where a broker gives hints back by time or is polled, within a second."""
    app = Celery("receiver", set_as_current=False)
    config = celery_config(settings, consumes=True)
    options = config["broker_transport_options"]
    assert isinstance(options, dict)
    quick = {name: 1 for name in ("visibility_timeout", "wait_time_seconds") if options.get(name)}
    app.conf.update(config, broker_transport_options={**options, **quick})
    return app


@contextmanager
def inbox_of(app: Celery) -> Iterator[SimpleQueue]:
    """The ingest queue, as a worker reads it."""
    with app.connection_for_read() as connection:
        queue = next(each for each in app.conf.task_queues if each.name == INGEST)
        with SimpleQueue(connection.default_channel, queue) as inbox:
            yield inbox


def take_and_die(settings: Settings) -> str:
    """A process of its own takes a hint and is killed; returns the hint's id."""
    with _process("take", settings) as worker:
        assert worker.stdout is not None
        taken = worker.stdout.readline().strip()
        worker.kill()
    assert taken, f"the worker took nothing and ended with {worker.returncode}"
    return taken


@contextmanager
def working(settings: Settings) -> Iterator[Callable[[], None]]:
    """A worker as ours, in a process of its own; the function waits until it did what one more hint says."""
    done = threading.Semaphore(0)

    def listen() -> None:
        for _ in worker.stdout or ():
            done.release()

    def one_more() -> None:
        assert done.acquire(timeout=30), f"no hint was taken within 30 s; the worker: {worker.poll()}"

    with _process("work", settings) as worker:
        threading.Thread(target=listen, daemon=True).start()
        try:
            one_more()  # its first word: it is ready
            yield one_more
            worker.terminate()
            assert worker.wait(20) == 0
        finally:
            worker.kill()


def _process(part: str, settings: Settings) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "ignore", "-m", __name__, part, settings.model_dump_json(exclude_defaults=True)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def take(settings: Settings) -> None:
    """Take one hint, say which, and never confirm it."""
    with inbox_of(receiver_of(settings)) as own:
        print(own.get(timeout=10).headers["id"], flush=True)
        time.sleep(60)


def _say(**signal: object) -> None:
    os.write(1, b"done\n")  # Celery makes log records of what is printed


def work(settings: Settings) -> int:
    """What `tasks.worker` starts, with a task that only says that it was done."""
    app = receiver_of(settings)
    app.task(name=f"nafuda.{INGEST}", shared=False)(_say)
    worker_ready.connect(_say, weak=False)
    worker = app.Worker(
        pool="threads", concurrency=5, queues=[INGEST], without_gossip=True, without_mingle=True, without_heartbeat=True
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit({"take": take, "work": work}[sys.argv[1]](Settings.model_validate_json(sys.argv[2])))
