"""Loops beside the work (heartbeat, listener, sweeper): none ends for good over an error that nobody foresaw."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from tasks.services import Services

log = logging.getLogger(__name__)
PAUSE = timedelta(seconds=5)
Loop = Callable[[Services, threading.Event], None]


def keep(loop: Loop, services: Services, stop: threading.Event, pause: timedelta = PAUSE) -> None:
    """Run a loop until told to stop. One that an error ends begins again after a pause: without it, the process would
    look alive and do nothing."""
    while not stop.is_set():
        try:
            loop(services, stop)
        except Exception:  # whatever it is: it is said, with where it came from
            log.exception("%s ended over an error that nobody foresaw; it begins again", loop.__name__)
            stop.wait(pause.total_seconds())
        else:
            return
