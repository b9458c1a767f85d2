"""Comparing buckets beside the taking in of events, one comparison at a time however often it is asked for."""

import threading

from tasks.insist import insist
from tasks.reconcile import Comparison
from tasks.services import Services


class Comparing:
    """Compares everything on a thread of its own. Who asks while it is at it gets one more, after that one.

    A listing of millions takes minutes, and a connection that drops at once asks for one each second.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._again = threading.Event()  # a comparison that waits for its next attempt ends too: a new one begins
        self._over = False
        self._busy = False

    def ask(self) -> None:
        """Have everything compared, beginning after now; returns at once."""
        with self._lock:
            self._again.set()
            if not self._busy and not self._over:
                self._busy = True
                threading.Thread(target=self._run, name="compare", daemon=True).start()

    def end(self) -> None:
        """Begin nothing any more; an attempt that runs comes to its own end, without being waited for."""
        with self._lock:
            self._over = True
            self._again.set()

    def _run(self) -> None:
        try:
            while self._next():
                compare_once(self._services, self._again)
        except BaseException:
            with self._lock:
                self._busy = False
            raise

    def _next(self) -> bool:
        with self._lock:
            self._busy = self._again.is_set() and not self._over
            if self._busy:
                self._again.clear()
            return self._busy


def compare_once(services: Services, stop: threading.Event) -> None:
    """Compare everything once, as soon as store and database answer."""
    insist(Comparison(services).attempt, "buckets are not compared yet", stop, pause=(1, 3))
