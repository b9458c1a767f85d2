"""A server that is away: said once, and left alone for a while, so that nobody waits for it again and again."""

import logging
import random
import threading
import time
from datetime import timedelta

from schemas.errors import NafudaError

log = logging.getLogger(__name__)
_DOUBLINGS = 16  # an outage may outlast what a float can hold of them


class Outage:
    """The state of one server, as this process knows it. Pauses double from a second to `longest`, with jitter."""

    def __init__(
        self,
        what: str,
        longest: timedelta = timedelta(seconds=30),
        *,
        so: str = "what is meant for it waits",
    ) -> None:
        """what, so: what the log says is away, and what comes of it."""
        self._what = what
        self._so = so
        self._longest = longest.total_seconds()
        self._lock = threading.Lock()
        self._parts: set[str] = set()
        self._failed = 0
        self._until = 0.0

    @property
    def away(self) -> bool:
        """True from its first failure until it answers."""
        return bool(self._parts)

    def paused(self) -> bool:
        """True while the server is to be left alone."""
        return self.pause > 0

    @property
    def pause(self) -> float:
        """Seconds for which the server is to be left alone; 0 when it may be asked."""
        return max(0.0, self._until - time.monotonic())

    def began(self, error: NafudaError, part: str = "") -> None:
        """It failed (again), or that part of it; the first time is said."""
        with self._lock:
            if not self._parts:
                log.warning("%s is away, %s: %s", self._what, self._so, error)
            self._parts.add(part)
            pause = min(self._longest, 2.0 ** min(self._failed, _DOUBLINGS))
            self._until = time.monotonic() + random.uniform(0.5, 1) * pause
            self._failed += 1

    def over(self, part: str = "") -> None:
        """It answered, or that part of it; it is back when no part is away."""
        if part not in self._parts:  # nearly always, so without the lock
            return
        with self._lock:
            if part not in self._parts:
                return
            self._parts.remove(part)
            if not self._parts:
                log.info("%s is back", self._what)
                self._failed, self._until = 0, 0.0
