"""A server that is away: said once, and left alone for a while, so that nobody waits for it again and again."""

import logging
import random
import threading
import time
from datetime import timedelta

from schemas.errors import NafudaError

log = logging.getLogger(__name__)


class Outage:
    """The state of one server, as this process knows it. Pauses double from a second to `longest`, with jitter."""

    def __init__(self, what: str, longest: timedelta = timedelta(seconds=30)) -> None:
        self._what = what
        self._longest = longest.total_seconds()
        self._lock = threading.Lock()
        self._failed = 0
        self._until = 0.0

    def paused(self) -> bool:
        """True while the server is to be left alone."""
        return time.monotonic() < self._until

    def began(self, error: NafudaError) -> None:
        """It failed (again); the first time is said."""
        with self._lock:
            if not self._failed:
                log.warning("%s is away, what is meant for it waits: %s", self._what, error)
            self._until = time.monotonic() + random.uniform(0.5, 1) * min(self._longest, 2.0**self._failed)
            self._failed += 1

    def over(self) -> None:
        """It answered."""
        if not self._failed:
            return
        with self._lock:
            log.info("%s is back", self._what)
            self._failed, self._until = 0, 0.0
