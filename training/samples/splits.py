"""Which seeds belong to which split: disjoint ranges, so that nothing that is measured was ever trained on."""

from __future__ import annotations

from dataclasses import dataclass

from training.samples.styles import HELD_OUT_STYLES


@dataclass(frozen=True, slots=True)
class Split:
    """A range of seeds; where `styles` are given they are taken in turn instead of the seed's own."""

    name: str
    start: int
    size: int
    zoom: float = 1.0
    styles: tuple[str, ...] = ()

    def seeds(self) -> range:
        """The seeds in order."""
        return range(self.start, self.start + self.size)

    def style(self, seed: int) -> str | None:
        """The style forced on a seed, or None for its own."""
        return self.styles[(seed - self.start) % len(self.styles)] if self.styles else None


# Training pictures are drawn at half size: models look at 192 pixels, and drawing is what costs.
TRAIN = Split("train", 10_000_000, 14_000, zoom=0.5)
VALIDATION = Split("validation", 20_000_000, 1_200)
HELD_OUT = Split("held_out", 30_000_000, 1_000)
UNSEEN_STYLES = Split("unseen_styles", 40_000_000, 600, styles=HELD_OUT_STYLES)
# Seeds below this are free: galleries and first starts draw from them.
FREE_SEEDS = 10_000_000
