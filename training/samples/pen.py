"""The pen: collects SVG elements in one style, keeps the transform, and measures what it has drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from training.samples import palette
from training.samples.styles import Style

Matrix = tuple[float, float, float, float, float, float]
_TOKEN = re.compile(r"[A-Za-z]|-?\d*\.?\d+")
_ARITY = {"M": 1, "L": 1, "Q": 2, "C": 3}
# Eight steps a curve put the extent of a figure within a tenth of a pixel.
_STEPS = tuple(i / 8 for i in range(1, 9))


@dataclass(slots=True)
class Extent:
    """The growing bounding box of what was drawn, in pixels; empty until something is."""

    x0: float = math.inf
    y0: float = math.inf
    x1: float = -math.inf
    y1: float = -math.inf

    def add(self, x: float, y: float, margin: float = 0.0) -> None:
        """Grow to hold the point with a margin around it."""
        self.x0, self.y0 = min(self.x0, x - margin), min(self.y0, y - margin)
        self.x1, self.y1 = max(self.x1, x + margin), max(self.y1, y + margin)


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """The transform that applies `b` first, then `a` (SVG order)."""
    return (
        a[0] * b[0] + a[2] * b[1], a[1] * b[0] + a[3] * b[1],
        a[0] * b[2] + a[2] * b[3], a[1] * b[2] + a[3] * b[3],
        a[0] * b[4] + a[2] * b[5] + a[4], a[1] * b[4] + a[3] * b[5] + a[5],
    )  # fmt: skip


def place(x: float, y: float, scale: float = 1.0, turn: float = 0.0, mirror: bool = False) -> Matrix:
    """Scale (mirrored left to right if asked), turn by degrees, then move to `(x, y)`."""
    c, s = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
    flip = -1 if mirror else 1
    return (c * flip, s * flip, -s, c, x, y)


def outline_points(d: str) -> Iterator[tuple[float, float]]:
    """Points along an absolute `M L Q C Z` path, curves sampled."""
    tokens = _TOKEN.findall(d)
    at, command, here = 0, "M", (0.0, 0.0)
    while at < len(tokens):
        if tokens[at].isalpha():
            command = tokens[at]
            at += 1
            continue
        count = _ARITY[command]
        numbers = [float(v) for v in tokens[at : at + 2 * count]]
        points = [here, *zip(numbers[::2], numbers[1::2], strict=True)]
        at += 2 * count
        yield from _sampled(points) if count > 1 else points[1:]
        here = points[-1]


def _sampled(points: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for t in _STEPS:
        level = points
        while len(level) > 1:
            level = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(level)]
        yield level[0]


@dataclass(slots=True)
class Pen:
    """Draws into a list of SVG elements; colours given to it are scene colours, it applies the style's tone."""

    style: Style
    elements: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    _matrix: Matrix = (1, 0, 0, 1, 0, 0)
    _extents: list[Extent] = field(default_factory=list)

    def tone(self, colour: str) -> str:
        """The colour as painted; `none` and gradient references pass."""
        return self.style.tone(colour) if colour.startswith("#") else colour

    def line_colour(self, colour: str) -> str:
        """The outline colour (a scene colour still) of something of that colour."""
        return self.style.line_colour or palette.shade(palette.mix(colour, "#000000", 0.2), 0.45)

    def path(self, d: str, fill: str = "none", stroke: str = "none", width: float = 0, opacity: float = 1.0) -> None:
        """One path as given: no outline or shading of its own."""
        # Fill and stroke opacity are painted directly; `opacity` would cost a layer of its own per shape.
        veil = f' fill-opacity="{opacity:.2f}"' if opacity < 1 and fill != "none" else ""
        ink = f' stroke="{self.tone(stroke)}" stroke-width="{width:.2f}"' if stroke != "none" else ""
        if ink and opacity < 1:
            ink += f' stroke-opacity="{opacity:.2f}"'
        if opacity > 0:
            self.elements.append(f'<path d="{d}" fill="{self.tone(fill)}"{ink}{veil}/>')
        self._measure(d, width / 2)

    def area(self, d: str, colour: str, *, line: float = 1.0, soft: bool = True) -> None:
        """A filled shape with the style's outline (`line` scales it), gradient and, for cut paper, its shadow."""
        if self.style.cutout:
            self.elements.append(f'<path d="{d}" fill="#2a2036" fill-opacity=".22" transform="translate(3 6)"/>')
        fill = (
            self.gradient(palette.tint(colour, 0.14), palette.shade(colour, 0.2))
            if self.style.soft and soft
            else colour
        )
        self.path(d, fill, *self._outline(colour, line))

    def ellipse(
        self, cx: float, cy: float, rx: float, ry: float, colour: str, *, line: float = 0, opacity: float = 1
    ) -> None:
        """An ellipse with an outline of `line` times the style's width."""
        stroke, width = self._outline(colour, line)
        self.path(oval(cx, cy, rx, ry), colour, stroke, width, opacity)

    def line(self, d: str, colour: str, width: float, opacity: float = 1.0) -> None:
        """An open stroke with round ends."""
        self.path(d, "none", colour, width, opacity)

    def limb(self, d: str, colour: str, width: float) -> None:
        """A thick stroke with an outline: an arm, a leg, a tail. The outline is open at the ends, where limbs join."""
        edge = self.style.line
        if self.style.cutout:
            self.elements.append(
                f'<path d="{d}" fill="none" stroke="#2a2036" stroke-width="{width}" stroke-opacity=".2" '
                'transform="translate(3 6)"/>'
            )
        if edge:
            self.path(d, "none", self.line_colour(colour), width + 2 * edge)
            self.elements[-1] = self.elements[-1].replace("<path ", '<path stroke-linecap="butt" ')
        self.path(d, "none", colour, width)

    def shadow(self, d: str, colour: str, strength: float = 1.0) -> None:
        """A shadow shape over something of that colour."""
        opacity = min(1.0, self.style.shadow * 2.6 * strength)
        if opacity > 0.02:
            self.path(d, palette.shade(colour, 0.42), opacity=opacity)

    def gloss(self, d: str, colour: str = "#ffffff", strength: float = 1.0) -> None:
        """A highlight shape."""
        if self.style.gloss * strength > 0.02:
            self.path(d, colour, opacity=min(1.0, self.style.gloss * strength))

    def gradient(self, top: str, bottom: str, *, x2: float = 0, y2: float = 1, stops: str = "") -> str:
        """A linear gradient over the shape's own box (down by default), as a paint."""
        name = f"g{len(self.definitions)}"
        inner = stops or f'<stop stop-color="{self.tone(top)}"/><stop offset="1" stop-color="{self.tone(bottom)}"/>'
        self.definitions.append(f'<linearGradient id="{name}" x2="{x2}" y2="{y2}">{inner}</linearGradient>')
        return f"url(#{name})"

    def glow(self, colour: str, opacity: float = 1.0) -> str:
        """A radial fade from the colour to nothing, as a paint."""
        name = f"g{len(self.definitions)}"
        tone = self.tone(colour)
        self.definitions.append(
            f'<radialGradient id="{name}"><stop stop-color="{tone}" stop-opacity="{opacity}"/>'
            f'<stop offset="1" stop-color="{tone}" stop-opacity="0"/></radialGradient>'
        )
        return f"url(#{name})"

    @contextmanager
    def moved(self, matrix: Matrix) -> Iterator[None]:
        """Draw in the coordinates of `matrix`."""
        before, self._matrix = self._matrix, multiply(self._matrix, matrix)
        self.elements.append(f'<g transform="matrix({" ".join(f"{v:.4f}" for v in matrix)})">')
        yield
        self.elements.append("</g>")
        self._matrix = before

    @contextmanager
    def clipped(self, d: str) -> Iterator[None]:
        """Draw only inside a shape; what is drawn there is not measured."""
        name = f"c{len(self.definitions)}"
        self.definitions.append(f'<clipPath id="{name}"><path d="{d}"/></clipPath>')
        extents, self._extents = self._extents, []
        self.elements.append(f'<g clip-path="url(#{name})">')
        yield
        self.elements.append("</g>")
        self._extents = extents

    @contextmanager
    def measured(self, extent: Extent) -> Iterator[Extent]:
        """Let `extent` grow over all that is drawn meanwhile."""
        self._extents.append(extent)
        yield extent
        # By identity: two empty extents compare equal.
        self._extents = [kept for kept in self._extents if kept is not extent]

    def svg(self, width: int, height: int) -> str:
        """The document."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'stroke-linecap="round" stroke-linejoin="round"><defs>{"".join(self.definitions)}</defs>'
            f"{''.join(self.elements)}</svg>"
        )

    def _outline(self, colour: str, line: float) -> tuple[str, float]:
        width = self.style.line * line
        return (self.line_colour(colour), width) if width > 0 else ("none", 0.0)

    def _measure(self, d: str, margin: float) -> None:
        if not self._extents:
            return
        a, b, c, e, x, y = self._matrix
        reach = margin * math.hypot(a, b)
        for px, py in outline_points(d):
            for extent in self._extents:
                extent.add(a * px + c * py + x, b * px + e * py + y, reach)


def oval(cx: float, cy: float, rx: float, ry: float) -> str:
    """An ellipse as a path of four curves."""
    kx, ky = rx * 0.5523, ry * 0.5523
    return (
        f"M{cx - rx:.2f},{cy:.2f} C{cx - rx:.2f},{cy - ky:.2f} {cx - kx:.2f},{cy - ry:.2f} {cx:.2f},{cy - ry:.2f} "
        f"C{cx + kx:.2f},{cy - ry:.2f} {cx + rx:.2f},{cy - ky:.2f} {cx + rx:.2f},{cy:.2f} "
        f"C{cx + rx:.2f},{cy + ky:.2f} {cx + kx:.2f},{cy + ry:.2f} {cx:.2f},{cy + ry:.2f} "
        f"C{cx - kx:.2f},{cy + ry:.2f} {cx - rx:.2f},{cy + ky:.2f} {cx - rx:.2f},{cy:.2f} Z"
    )
