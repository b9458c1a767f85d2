"""The ring of pixel buffers: memory that is allocated once, filled by callers and read by the device."""

from dataclasses import dataclass, field

import numpy as np

from workers.batching.batch import Pixels
from workers.batching.ticket import Ticket
from workers.steps.geometry import Geometry


@dataclass(frozen=True, slots=True)
class Entry:
    """One image in a slot: whose it is, its place in the submission, and its geometry."""

    ticket: Ticket
    place: int
    geometry: Geometry


@dataclass(slots=True)
class Slot:
    """A buffer (P, H, W, 3) uint8 for one batch. `copying` images are reserved but not all there yet.

    All fields are read and written under the batcher's lock, except the reserved rows of `pixels`, which
    belong to the caller until its copy is done, and the whole of it, which belongs to the device once the
    slot left.
    """

    pixels: Pixels
    entries: list[Entry] = field(default_factory=list)
    copying: int = 0
    since: float = 0.0  # monotonic seconds, when the first entry came

    @property
    def full(self) -> bool:
        """True when no image can be reserved any more."""
        return len(self.entries) == len(self.pixels)

    @property
    def oldest(self) -> float:
        """Since when the oldest of its submissions waits, in monotonic seconds. Not of an empty slot."""
        return min(entry.ticket.since for entry in self.entries)

    def clear(self) -> None:
        """Forget the entries; the pixels are overwritten by the next."""
        self.entries = []
        self.copying = 0


def make_slots(count: int, images: int, size: tuple[int, int]) -> list[Slot]:
    """Slots of so many images each. size: (height, width) in pixels."""
    return [Slot(np.zeros((images, *size, 3), np.uint8)) for _ in range(count)]
