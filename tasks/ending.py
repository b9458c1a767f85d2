"""How a worker process ends: drained when asked once, when its grace time is over, at once when asked twice."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

from schemas.errors import NafudaError
from tasks.services import Services

log = logging.getLogger(__name__)
GIVING_BACK = timedelta(seconds=5)  # at most, after the grace time; whoever kills afterwards has to wait longer


class Ending:
    """Made before there is anything to end: `ask` is for signal handlers, and one that starts a thread may block."""

    def __init__(self, services: Services, end: Callable[[int], object] = os._exit) -> None:
        self._services = services
        self._end = end
        self._asked = threading.Event()
        threading.Thread(target=self._limit, name="grace", daemon=True).start()

    def ask(self, **_: object) -> None:
        """The grace time begins. Who asks again does not wait: what this process holds is freed as after kill −9."""
        signal.signal(signal.SIGTERM, _at_once)
        signal.signal(signal.SIGINT, _at_once)
        self._asked.set()

    def _limit(self) -> None:
        """A process that drained in time has ended, and this thread with it."""
        self._asked.wait()
        time.sleep(self._services.settings.grace.total_seconds())
        giving = threading.Thread(target=_give_back, args=(self._services,), name="give back", daemon=True)
        giving.start()
        giving.join(GIVING_BACK.total_seconds())
        if giving.is_alive():
            _kept("no answer from the database")
        self._end(0)


def _give_back(services: Services) -> None:
    try:
        count = services.work.leave()
    except NafudaError as error:
        _kept(str(error))
    else:
        grace = services.settings.grace
        log.warning("not drained within %s: %d claims are given back, and this process ends", grace, count)


def _kept(why: str) -> None:
    log.error("what this process holds cannot be given back; it is freed as after a death: %s", why)


def _at_once(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)
