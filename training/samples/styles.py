"""The ways of drawing: one row a style, and which of them no model ever sees in training."""

from __future__ import annotations

from dataclasses import dataclass

from training.samples import palette


@dataclass(frozen=True, slots=True)
class Style:
    """How one scene is put on paper; widths in figure units (a head is about 290 high)."""

    name: str
    line: float  # outline width, 0 draws none
    line_colour: str | None = None  # None: a darker tone of what it outlines
    shadow: float = 0.25  # strength of shadow shapes 0..1
    soft: bool = False  # gradients instead of flat fills
    gloss: float = 0.5  # strength of highlights 0..1
    lift: float = 0.0  # share of white in every colour
    saturation: float = 1.0
    monochrome: bool = False
    cutout: bool = False  # every shape throws a small shadow, like cut paper
    finish: str = "none"  # what happens to the pixels afterwards

    def tone(self, colour: str) -> str:
        """The colour as this style paints it."""
        if self.monochrome:
            return palette.grey(palette.tint(colour, self.lift))
        toned = palette.saturate(colour, self.saturation) if self.saturation != 1.0 else colour
        return palette.tint(toned, self.lift) if self.lift else toned


_ALL = (
    Style("cel", line=4.2, line_colour="#3a2c3c", shadow=0.3, gloss=0.55),
    Style("soft", line=0.0, shadow=0.2, soft=True, gloss=0.45),
    Style("shaded", line=2.8, shadow=0.26, soft=True, gloss=0.6, saturation=1.08),
    Style(
        "pastel",
        line=2.4,
        shadow=0.16,
        soft=True,
        gloss=0.35,
        lift=0.16,
        saturation=1.15,
        finish="watercolour",
    ),
    Style("poster", line=6.5, line_colour="#211c28", shadow=0.34, gloss=0.0, saturation=1.25),
    Style(
        "ink",
        line=4.6,
        line_colour="#1c1a20",
        shadow=0.3,
        gloss=0.7,
        lift=0.12,
        monochrome=True,
        finish="halftone",
    ),
    Style("pixel", line=5.0, line_colour="#2e2438", shadow=0.3, gloss=0.6, saturation=1.12, finish="pixels"),
    Style("retro", line=3.6, line_colour="#4a2a2a", shadow=0.36, gloss=0.65, saturation=0.86, finish="film"),
    Style("papercut", line=0.0, shadow=0.16, gloss=0.25, saturation=0.92, cutout=True, finish="grain"),
)
STYLES: dict[str, Style] = {style.name: style for style in _ALL}
HELD_OUT_STYLES: tuple[str, ...] = ("retro", "papercut")
TRAINING_STYLES: tuple[str, ...] = tuple(name for name in STYLES if name not in HELD_OUT_STYLES)
# Monochrome hides every colour tag, so it is drawn less often than the others.
STYLE_WEIGHTS: dict[str, int] = {
    "cel": 5,
    "soft": 5,
    "shaded": 5,
    "pastel": 4,
    "poster": 3,
    "ink": 1,
    "pixel": 2,
}
