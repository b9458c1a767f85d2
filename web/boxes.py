"""Where the labels of a picture's boxes stand: above their box where there is room, and never one over another."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.record import Detection
from web.render import percent, plain

TEXTS = 90  # letters of one size that fill the picture's half circumference: readable, and hiding little
WIDE = 0.56  # a letter's mean width in its size
PAD, TALL = 0.45, 1.5


@dataclass(frozen=True, slots=True)
class Labelled:
    """A box and its label in original pixels: left, top, width and height of both, and the letters' size."""

    text: str
    box: tuple[float, float, float, float]
    plate: tuple[float, float, float, float]
    size: float

    @property
    def baseline(self) -> tuple[float, float]:
        """Where the text begins."""
        return self.plate[0] + PAD * self.size, self.plate[1] + 1.1 * self.size


def labelled(detections: Sequence[Detection], width: int, height: int) -> list[Labelled]:
    """The boxes with their labels; a label that would cover an earlier one goes below it."""
    size = (width + height) / TEXTS
    placed: list[Labelled] = []
    for found in detections:
        x, y, right, bottom = found.box
        text = f"{plain(found.label)} {percent(found.confidence)}"
        wide, tall = size * (len(text) * WIDE + 2 * PAD), size * TALL
        left, top = max(0.0, min(x, width - wide)), max(0.0, y - tall)
        for other in sorted(placed, key=lambda one: one.plate[1]):
            if overlaps((left, top, wide, tall), other.plate):
                top = other.plate[1] + other.plate[3]
        placed.append(Labelled(text, (x, y, right - x, bottom - y), (left, top, wide, tall), size))
    return placed


def overlaps(one: Sequence[float], other: Sequence[float]) -> bool:
    """True when two rectangles (left, top, width, height) share more than an edge."""
    across = one[0] < other[0] + other[2] and other[0] < one[0] + one[2]
    return across and one[1] < other[1] + other[3] and other[1] < one[1] + one[3]
