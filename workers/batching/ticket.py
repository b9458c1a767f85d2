"""The handle of one submission: where the answers of its images arrive, in the order they were given."""

import threading
from dataclasses import dataclass
from datetime import timedelta

from schemas.errors import NafudaError, TransientError
from schemas.results import ModelOutput


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image. millis: its share of the batch's time on the device; batch: images in it."""

    value: ModelOutput | NafudaError
    millis: float
    batch: int


class Ticket:
    """Answers of one submission. Any thread may wait; only the batcher delivers.

    since: monotonic seconds, when its images came.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._outcomes: list[Outcome | None] = []
        self._left = 0
        self._sealed = False
        self._cancelled = False

    def __len__(self) -> int:
        return len(self._outcomes)

    @property
    def done(self) -> bool:
        """True when every image has its outcome."""
        return self._done.is_set()

    @property
    def cancelled(self) -> bool:
        """True when nobody wants the answers any more."""
        return self._cancelled

    def cancel(self) -> None:
        """Nobody wants the answers: images that are not on the device yet get the error "cancelled"."""
        self._cancelled = True

    def results(self, timeout: timedelta | None = None) -> list[Outcome]:
        """Wait for all outcomes, in the order of submission.

        TransientError (code "timeout") when they are not there in time; they may be asked for again.
        """
        if not self._done.wait(None if timeout is None else timeout.total_seconds()):
            raise TransientError(
                f"{self._left} of {len(self._outcomes)} images have no answer after {timeout}; ask again, or "
                "look whether the model hangs (busy_since)",
                code="timeout",
            )
        return [outcome for outcome in self._outcomes if outcome is not None]

    def _expect(self) -> int:
        """One more image; returns its place."""
        with self._lock:
            self._outcomes.append(None)
            self._left += 1
            return len(self._outcomes) - 1

    def _seal(self) -> None:
        """No more images will come."""
        with self._lock:
            self._sealed = True
            if self._left == 0:
                self._done.set()

    def _deliver(self, place: int, outcome: Outcome) -> None:
        """The first outcome of an image counts."""
        with self._lock:
            if self._outcomes[place] is not None:
                return
            self._outcomes[place] = outcome
            self._left -= 1
            if self._sealed and self._left == 0:
                self._done.set()
