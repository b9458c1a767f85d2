"""Dominant colours by name: each pixel goes to the name of the nearest anchor, as an eye would measure near."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.images import Colour

SIDE = 32
MOST = 5
LEAST_SHARE = 0.05

# The closed palette. Several anchors (sRGB) a name, because a name is a region: brown is dark orange, pink is
# light red, and a teal may be as light as cyan.
ANCHORS: Mapping[str, tuple[int, ...]] = {
    "red": (0xFF0000, 0xB22222, 0x8B0000, 0xE03C31),
    "orange": (0xFFA500, 0xFF7F00, 0xFF6A1F, 0xFFB870),
    "yellow": (0xFFFF00, 0xFFD700, 0xFFF48C, 0xCCB400),
    "green": (0x008000, 0x00C000, 0x7CFC00, 0x556B2F, 0x90D890, 0x004010, 0x808000),
    "teal": (0x008080, 0x00CED1, 0x00FFFF, 0x005858, 0x9FE5E0),
    "blue": (0x0000FF, 0x1E6FD9, 0x000080, 0x87CEEB, 0x4682B4, 0x203860),
    "purple": (0x800080, 0x6A0DAD, 0x4B0082, 0x9370DB, 0xC8A0E8),
    "pink": (0xFF69B4, 0xFFC0CB, 0xFF1493, 0xFF00FF, 0xFFA0A0, 0xE090B0),
    "brown": (0x8B4513, 0x654321, 0xA0683C, 0x3D2410, 0xC8A078),
    "black": (0x000000, 0x161616),
    "grey": (0x808080, 0x505050, 0xB4B4B4, 0x343434),
    "white": (0xFFFFFF, 0xEFEFEF),
}
NAMES = tuple(ANCHORS)

# sRGB to OKLab: B. Ottosson, "A perceptual color space for image processing" (2020).
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def dominant_colours(image: Image.Image) -> tuple[Colour, ...]:
    """Up to five names with the mean colour of their pixels, by falling share (at least .05) of an RGB image."""
    pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)).reshape(-1, 3)
    lab, anchors, owners = oklab(pixels), *_anchors()
    # |p - a|^2 without |p|^2, which is the same for every anchor.
    names = owners[np.argmin((anchors**2).sum(axis=1) - 2 * lab @ anchors.T, axis=1)]
    counts = np.bincount(names, minlength=len(NAMES))
    order = [int(name) for name in np.argsort(-counts, kind="stable")[:MOST]]
    return tuple(
        _colour(NAMES[name], pixels[names == name], len(pixels))
        for name in order
        if counts[name] >= LEAST_SHARE * len(pixels)
    )


def oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, 3) sRGB bytes to (N, 3) OKLab: lightness in [0, 1], a and b about [-.4, .4]."""
    lms = _linear()[rgb] @ _TO_LMS.T
    lab: NDArray[np.float64] = np.cbrt(lms) @ _TO_LAB.T
    return lab


def _colour(name: str, pixels: NDArray[np.uint8], total: int) -> Colour:
    red, green, blue = (round(float(band)) for band in pixels.mean(axis=0))
    return Colour(name, (red, green, blue), round(len(pixels) / total, 4))


@lru_cache(maxsize=1)
def _anchors() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The anchors in OKLab (A, 3) and the index of each one's name (A,)."""
    flat = [(index, rgb) for index, name in enumerate(NAMES) for rgb in ANCHORS[name]]
    bands = np.array([(rgb >> 16, rgb >> 8 & 255, rgb & 255) for _, rgb in flat], np.uint8)
    return oklab(bands), np.array([index for index, _ in flat], np.intp)


@lru_cache(maxsize=1)
def _linear() -> NDArray[np.float64]:
    """Linear light for each sRGB byte (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
