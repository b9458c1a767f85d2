"""A border that is not painted until it must be: resizing a padded picture without building the padded picture.

Painting white around a photograph, only to filter it away, made an 8 MP picture cost 59 ms instead of 37. An output
row whose filter window holds only picture (or only border) does not depend on the border's existence, so it is
resized from the picture itself; the few rows that straddle an edge are resized from a narrow strip. The pixels are
those of "pad, then resize" (one in ten thousand differs, by one level of 255), where "resize, then pad" costs as
little but shifts the picture by up to half a pixel.
"""

import math
from dataclasses import dataclass

from PIL import Image

RGB = tuple[int, int, int]

# Half-widths of Pillow's filters in input pixels at scale 1 (Pillow, src/libImaging/Resample.c). The box filter is
# left out: it jumps at its edge, where the single precision of `box` decides which pixels count.
SUPPORT = {
    Image.Resampling.BILINEAR: 1.0,
    Image.Resampling.BICUBIC: 2.0,
    Image.Resampling.LANCZOS: 3.0,
}


@dataclass(frozen=True, slots=True)
class Border:
    """Pixels of one colour to be added around a picture."""

    left: int
    top: int
    right: int
    bottom: int
    colour: RGB


def paint(image: Image.Image, border: Border) -> Image.Image:
    """The picture with its border, as one new image."""
    size = (image.width + border.left + border.right, image.height + border.top + border.bottom)
    canvas = Image.new("RGB", size, border.colour)
    canvas.paste(image, (border.left, border.top))
    return canvas


@dataclass(frozen=True, slots=True)
class _Axis:
    """The padded axis: `length` picture pixels after `lead` and before `trail` border pixels, resized to `out`."""

    length: int
    lead: int
    trail: int
    out: int
    support: float

    @property
    def total(self) -> int:
        return self.lead + self.length + self.trail

    @property
    def scale(self) -> float:
        return self.total / self.out

    @property
    def reach(self) -> float:
        # One pixel more than the filter's half-width covers Pillow's rounding of the window.
        return self.support * max(self.scale, 1.0) + 1.0

    def parts(self) -> tuple[range, range, range]:
        """Output rows straddling the first edge, reading picture only, straddling the second edge."""
        near = math.ceil((self.lead + self.reach) / self.scale - 0.5) if self.lead else 0
        end = self.lead + self.length
        far = math.floor((end - self.reach) / self.scale - 0.5) + 1 if self.trail else self.out
        inner = range(min(near, self.out), max(min(far, self.out), min(near, self.out)))
        first = math.floor((self.lead - self.reach) / self.scale - 0.5)
        last = math.ceil((end + self.reach) / self.scale - 0.5) + 1
        before = range(min(max(first, 0), inner.start), inner.start)
        return before, inner, range(inner.stop, max(min(last, self.out), inner.stop))

    def window(self, rows: range) -> tuple[int, int]:
        """The pixels [low, high) of the padded axis that these output rows read or cover."""
        low = min((rows.start + 0.5) * self.scale - self.reach, rows.start * self.scale)
        high = max((rows.stop - 0.5) * self.scale + self.reach, rows.stop * self.scale)
        return max(math.floor(low), 0), min(math.ceil(high), self.total)


def resize_bordered(
    image: Image.Image, border: Border, size: tuple[int, int], resample: Image.Resampling
) -> Image.Image:
    """The same pixels as `paint(image, border).resize(size, resample)`; size is (width, height)."""
    across, down = border.left + border.right, border.top + border.bottom
    side = image.width + across
    square = side == image.height + down and size[0] == size[1] <= side
    if resample not in SUPPORT or not square or bool(across) == bool(down):
        return paint(image, border).resize(size, resample)
    if across:
        axis = _Axis(image.width, border.left, border.right, size[0], SUPPORT[resample])
    else:
        axis = _Axis(image.height, border.top, border.bottom, size[1], SUPPORT[resample])
    out = Image.new("RGB", size, border.colour)
    for rows in axis.parts():
        if not rows:
            continue
        source, start = _source(image, border.colour, axis, axis.window(rows), bool(across))
        near, far = rows.start * axis.scale - start, rows.stop * axis.scale - start
        if across:
            out.paste(_columns(source, near, far, (len(rows), size[1]), resample), (rows.start, 0))
        else:
            out.paste(_rows(source, near, far, (size[0], len(rows)), resample), (0, rows.start))
    return out


# A square that shrinks to a square is resized by Pillow sideways first; of a narrow strip it might not be, and the
# rounding between the passes shows at hard edges. Hence two calls of one pass each.


def _columns(
    source: Image.Image, near: float, far: float, size: tuple[int, int], resample: Image.Resampling
) -> Image.Image:
    box = (max(near, 0.0), 0, min(far, float(source.width)), source.height)
    return source.resize((size[0], source.height), resample, box).resize(size, resample)


def _rows(
    source: Image.Image, near: float, far: float, size: tuple[int, int], resample: Image.Resampling
) -> Image.Image:
    narrow = source.resize((size[0], source.height), resample)
    return narrow.resize(size, resample, (0, max(near, 0.0), size[0], min(far, float(source.height))))


def _source(
    image: Image.Image, colour: RGB, axis: _Axis, window: tuple[int, int], across: bool
) -> tuple[Image.Image, int]:
    """The picture itself where the window lies in it, else a painted strip; and where it begins on the axis."""
    low, high = window
    if low >= axis.lead and high <= axis.lead + axis.length:
        return image, axis.lead
    return _strip(image, colour, axis, window, across), low


def _strip(image: Image.Image, colour: RGB, axis: _Axis, span: tuple[int, int], across: bool) -> Image.Image:
    """The bordered picture between two places of the padded axis, painted."""
    low, high = span
    first, last = max(low - axis.lead, 0), max(min(high - axis.lead, axis.length), 0)
    at = max(axis.lead - low, 0)
    if across:
        canvas = Image.new("RGB", (high - low, image.height), colour)
        canvas.paste(image.crop((first, 0, max(last, first), image.height)), (at, 0))
        return canvas
    canvas = Image.new("RGB", (image.width, high - low), colour)
    canvas.paste(image.crop((0, first, image.width, max(last, first))), (0, at))
    return canvas
