"""Pictures to model input, as the manifests of the sample models say it: `(S, S, 3) uint8 RGB`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 192
WHITE, GREY = 255, 114
GAP = 2.0  # large pictures are reduced by a whole factor first (see Pillow): much faster, and hardly another picture


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was fitted into the square: `input = picture * scale + offset`."""

    scale: float
    left: int
    top: int


def for_tagger(image: Image.Image) -> NDArray[np.uint8]:
    """Bicubic resize keeping the ratio, then centred white pad."""
    return _fitted(image, Image.Resampling.BICUBIC, WHITE)[0]


def for_detector(image: Image.Image) -> tuple[NDArray[np.uint8], Letterbox]:
    """Bilinear resize keeping the ratio, then centred grey pad."""
    return _fitted(image, Image.Resampling.BILINEAR, GREY)


def _fitted(image: Image.Image, resample: Image.Resampling, grey: int) -> tuple[NDArray[np.uint8], Letterbox]:
    scale = SIDE / max(image.size)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    square = Image.new("RGB", (SIDE, SIDE), (grey,) * 3)
    square.paste(image.resize((width, height), resample, reducing_gap=GAP), (left, top))
    return np.asarray(square), Letterbox(scale, left, top)


SHORTEST, CROP = 320, 256


def for_judge(image: Image.Image) -> NDArray[np.uint8]:
    """Shortest side to `SHORTEST` by bicubic resize, then the middle `CROP` pixels: fine detail is what counts."""
    short = min(image.size)
    size = (SHORTEST * image.width // short, SHORTEST * image.height // short)
    left, top = round((size[0] - CROP) / 2), round((size[1] - CROP) / 2)
    resized = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=GAP)
    return np.asarray(resized.crop((left, top, left + CROP, top + CROP)))
