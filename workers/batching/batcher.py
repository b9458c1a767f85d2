"""The batcher: many callers' images, merged into batches for one device, without losing or reordering any.

A batch leaves when the device is free and the buffer is full, or nothing filled it for a short delay. While
the device works, the next buffer fills; when all buffers are taken, callers wait (back-pressure). Measured
with a device of 20 ms per batch in benchmarks/batching.py.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from schemas.errors import TransientError
from workers.batching import bisect
from workers.batching.batch import Batch, Prepared
from workers.batching.slots import Entry, Slot, make_slots
from workers.batching.ticket import Outcome, Ticket
from workers.batching.turns import Turns


@dataclass(frozen=True, slots=True)
class BatcherOptions:
    """size: (height, width) of the model's input. preferred: ascending batch sizes that are padded to.

    delay: how long an image may wait for company while the device is free; keep it well below one batch's
    time. It counts from the end of the batch before, too: its callers are about to come back with their next
    images.
    """

    size: tuple[int, int]
    most: int = 32
    preferred: Sequence[int] = ()
    delay: timedelta = timedelta(milliseconds=5)
    slots: int = 3


# A caller that is copying a list makes the device wait a little longer: the rest of its images is about to come.
_PATIENCE = 4

_CANCELLED = Outcome(TransientError("nobody waited for this image any more", code="cancelled"), 0.0, 0)


class Batcher:
    """One device thread in front of `forward`. All methods may be called from any thread."""

    def __init__(
        self, forward: bisect.Forward, options: BatcherOptions, name: str = "model", turns: Turns | None = None
    ) -> None:
        """turns: shared with the other models on the same cores; None for a device of its own."""
        self._forward = forward
        self._options = options
        self._turns = turns
        self._delay = options.delay.total_seconds()
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # a slot may be ready for the device
        self._space = threading.Condition(self._lock)  # a slot was freed
        self._free = deque(make_slots(options.slots, options.most, options.size))
        self._filling: Slot | None = None
        self._running: Slot | None = None
        self._full: deque[Slot] = deque()
        self._submitting = 0
        self._copying_lists = 0
        self._closed = False
        self._dead = False
        self._freed = 0.0
        self._busy_since: float | None = None
        self._failed_in_row = 0
        self._thread = threading.Thread(target=self._device, name=f"batcher {name}", daemon=True)
        self._thread.start()

    @property
    def busy_since(self) -> float | None:
        """`time.monotonic()` when the running batch reached the device, None between batches."""
        return self._busy_since

    @property
    def failed_in_row(self) -> int:
        """Batches in a row of which no image got an answer.

        More than a few mean a broken device, not bad images.
        """
        return self._failed_in_row

    def submit(
        self, images: Iterable[Prepared], timeout: timedelta | None = None, since: float | None = None
    ) -> Ticket:
        """Copy the images into the ring as they come from the iterable, and return where the answers will be.

        since: `time.monotonic()` when the images came, for their turn; now by default. Waits while the ring is full.
        TransientError: closed (code "closed"), or no room within `timeout` for one image (code "busy"). When that, or
        the iterable itself, raises, the images taken so far are dropped.
        """
        ticket = Ticket(time.monotonic() if since is None else since)
        with self._submission(whole=isinstance(images, Sized)):
            try:
                for image in images:
                    self._place(ticket, image, timeout)
            except BaseException:
                ticket.cancel()
                raise
            ticket._seal()
        return ticket

    def close(self, timeout: timedelta | None = None) -> bool:
        """Take nothing new, finish what was submitted. False when that is not done within `timeout`."""
        with self._lock:
            self._closed = True
            self._work.notify_all()
            self._space.notify_all()
        self._thread.join(None if timeout is None else timeout.total_seconds())
        return not self._thread.is_alive()

    @contextmanager
    def _submission(self, *, whole: bool) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise TransientError("the batcher is closed: this worker is shutting down", code="closed")
            self._submitting += 1
            self._copying_lists += whole
        try:
            yield
        finally:
            with self._lock:
                self._submitting -= 1
                self._copying_lists -= whole
                self._work.notify()

    def _place(self, ticket: Ticket, image: Prepared, timeout: timedelta | None) -> None:
        expected = (*self._options.size, 3)
        if image.pixels.shape != expected:
            raise ValueError(f"pixels: expected {expected}, got {image.pixels.shape}")
        with self._lock:
            slot = self._slot_with_room(timeout)
            row = len(slot.entries)
            slot.entries.append(Entry(ticket, ticket._expect(), image.geometry))
            slot.copying += 1
            if slot.full:
                self._full.append(slot)
                self._filling = None
        try:
            # The copy, which is most of the time, holds no lock.
            np.copyto(slot.pixels[row], image.pixels)
        finally:
            with self._lock:
                slot.copying -= 1
                leaving = slot is not self._filling
                # The first image starts the device's waiting, the last copy ends it; between them it may sleep.
                if row == 0 or (leaving and slot.copying == 0):
                    self._work.notify()

    def _slot_with_room(self, timeout: timedelta | None) -> Slot:
        """The slot being filled; starts a free one, waiting for it if need be. The lock is held."""
        seconds = None if timeout is None else timeout.total_seconds()
        if not self._space.wait_for(lambda: self._dead or self._filling or self._free, seconds):
            raise TransientError(f"no room for an image within {timeout}: the model is too slow", code="busy")
        if self._dead:
            raise _died()
        if self._filling is None:
            self._filling = self._free.popleft()
            self._filling.since = time.monotonic()
        return self._filling

    def _device(self) -> None:
        try:
            while (slot := self._next()) is not None:
                with self._turns.turn(slot.oldest) if self._turns else nullcontext():
                    self._busy_since = time.monotonic()
                    self._run(slot)
                with self._lock:
                    self._busy_since, self._running, self._freed = None, None, time.monotonic()
                    slot.clear()
                    self._free.append(slot)
                    self._space.notify_all()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """The device thread ends; if that was not asked for, nobody may wait for ever."""
        with self._lock:
            self._closed = self._dead = True
            self._busy_since = None
            lost = Outcome(_died(), 0.0, 0)
            for slot in (self._running, *self._full, self._filling):
                for entry in slot.entries if slot else ():
                    entry.ticket._deliver(entry.place, lost)
            self._space.notify_all()

    def _next(self) -> Slot | None:
        """Wait for a batch that may leave; None when closed and drained."""
        with self._lock:
            while True:
                slot, wait = self._ready()
                if slot is not None:
                    self._running = slot
                    return slot
                if self._closed and not self._submitting and self._filling is None and not self._full:
                    return None
                self._work.wait(wait)

    def _ready(self) -> tuple[Slot | None, float | None]:
        """A slot that may leave now, or how many seconds to wait at most (None: until something happens)."""
        if self._full:
            if self._full[0].copying == 0:
                return self._full.popleft(), None
            return None, None
        slot = self._filling
        if slot is None:
            return None, None
        delay = self._delay * (_PATIENCE if self._copying_lists else 1)
        rest = max(slot.since, self._freed) + delay - time.monotonic()
        if rest > 0 and not (self._closed and not self._submitting):
            return None, rest
        # Its time has come: nobody may add to it any more, so that the copies under way are the last ones.
        self._filling = None
        self._full.append(slot)
        return self._ready()

    def _run(self, slot: Slot) -> None:
        entries, rows = slot.entries, len(slot.entries)
        wanted = [row for row in range(rows) if not entries[row].ticket.cancelled]
        for row in set(range(rows)).difference(wanted):
            entries[row].ticket._deliver(entries[row].place, _CANCELLED)
        if not wanted:
            return
        started = time.perf_counter()
        answers = bisect.run(self._forward, self._batch(slot, wanted))
        failed = all(isinstance(answer, TransientError) for answer in answers)
        self._failed_in_row = self._failed_in_row + 1 if failed else 0
        millis = (time.perf_counter() - started) * 1000 / len(wanted)
        for row, answer in zip(wanted, answers, strict=True):
            entries[row].ticket._deliver(entries[row].place, Outcome(answer, millis, len(wanted)))

    def _batch(self, slot: Slot, wanted: Sequence[int]) -> Batch:
        """The wanted rows moved to the front, and rows of padding up to a preferred size."""
        for row, source in enumerate(wanted):
            if row != source:
                slot.pixels[row] = slot.pixels[source]
        count = len(wanted)
        size = next((size for size in self._options.preferred if size >= count), count)
        slot.pixels[count:size] = 0
        return Batch(slot.pixels[:size], tuple(slot.entries[row].geometry for row in wanted))


def _died() -> TransientError:
    return TransientError("the model's thread died; restart this worker", code="device-died")
