"""Pictures to model input: both sample models see a square of `SIDE` pixels, `(SIDE, SIDE, 3) uint8 RGB`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 192
WHITE, GREY = 255, 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was fitted into the square: `input = picture * scale + offset`."""

    scale: float
    left: int
    top: int


def for_tagger(image: Image.Image) -> NDArray[np.uint8]:
    """Centred white square pad, then bicubic resize."""
    side = max(image.size)
    square = Image.new("RGB", (side, side), (WHITE,) * 3)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def for_detector(image: Image.Image) -> tuple[NDArray[np.uint8], Letterbox]:
    """Resize keeping the ratio, then centred grey pad."""
    scale = SIDE / max(image.size)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    square = Image.new("RGB", (SIDE, SIDE), (GREY,) * 3)
    square.paste(image.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return np.asarray(square), Letterbox(scale, left, top)


SHORTEST, CROP = 320, 256


def for_judge(image: Image.Image) -> NDArray[np.uint8]:
    """Shortest side to `SHORTEST` by bicubic resize, then the middle `CROP` pixels: fine detail is what counts."""
    short = min(image.size)
    size = (SHORTEST * image.width // short, SHORTEST * image.height // short)
    left, top = round((size[0] - CROP) / 2), round((size[1] - CROP) / 2)
    resized = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(resized.crop((left, top, left + CROP, top + CROP)))
