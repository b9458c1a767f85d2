"""Celery apps as our processes have them; as a program, a worker that takes one hint and never confirms it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery
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
    command = [sys.executable, "-m", __name__, settings.model_dump_json(exclude_defaults=True)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        taken = worker.stdout.readline().strip()
        worker.kill()
    assert taken, f"the worker took nothing and ended with {worker.returncode}"
    return taken


if __name__ == "__main__":
    with inbox_of(receiver_of(Settings.model_validate_json(sys.argv[1]))) as own:
        print(own.get(timeout=10).headers["id"], flush=True)
        time.sleep(60)
