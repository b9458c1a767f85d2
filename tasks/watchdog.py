"""The watchdog: a model that hangs cannot be interrupted, so its process ends and another takes its place."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from workers.analysis.analysis import LoadedModel

log = logging.getLogger(__name__)
_PERIOD = 1.0  # seconds
_HUNG = os.EX_SOFTWARE


def hung(models: Iterable[LoadedModel], limit: timedelta, now: float) -> str:
    """The name of a model whose device works on one batch for longer than `limit`, or "". now: `time.monotonic()`."""
    for model in models:
        since = model.batcher.busy_since
        if since is not None and now - since > limit.total_seconds():
            return model.name
    return ""


@contextmanager
def watched(models: Iterable[LoadedModel], limit: timedelta, end: Callable[[int], object] = os._exit) -> Iterator[None]:
    """End this process, without draining, as soon as one of the models hangs.

    What it held counts as a death, as after kill −9: each image is tried alone, and only the guilty one is quarantined.
    """
    models, over = list(models), threading.Event()

    def watch() -> None:
        while not over.wait(_PERIOD):
            if name := hung(models, limit, time.monotonic()):
                log.critical("%s has worked on one batch for more than %s: this process ends", name, limit)
                end(_HUNG)
                return

    threading.Thread(target=watch, name="watchdog", daemon=True).start()
    try:
        yield
    finally:
        over.set()
