"""What a style does to finished pixels: paper, halftone, pixels, film and grain; arrays `(H, W, 3) uint8 RGB`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]


def apply(image: Image.Image, kind: str, seed: int) -> Image.Image:
    """The picture after the style's finish; the size stays."""
    return _FINISHES[kind](image, np.random.default_rng([seed, 77]))


def _clip(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _noise(rng: np.random.Generator, size: tuple[int, int], cell: int) -> NDArray[np.float32]:
    """Smooth noise -1..1 of a cell size in pixels, shape `(H, W)`."""
    w, h = size
    small = rng.integers(0, 256, (h // cell + 2, w // cell + 2), dtype=np.uint8)
    grown = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(grown, np.float32) / 127.5 - 1


def _none(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image


def _watercolour(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    blots = _noise(rng, image.size, 48) * 6 + _noise(rng, image.size, 3) * 3.5
    return _clip(np.asarray(image, np.float32) + blots[..., None])


def _halftone(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    grey = np.asarray(image.convert("L"), np.float32)
    y, x = np.indices(grey.shape, dtype=np.float32)
    cell = max(5.0, max(image.size) / 110)
    dots = np.sin((x + y) * np.pi / cell) * np.sin((x - y) * np.pi / cell) * 26
    # Dots only in the middle tones, as printed screens have them.
    middle = np.clip(1 - np.abs(grey - 150) / 80, 0, 1)
    return _clip(np.repeat((grey + dots * middle)[..., None], 3, axis=2))


def _pixels(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor = max(image.size) / 176
    small = image.resize((round(image.width / factor), round(image.height / factor)), Image.Resampling.BOX)
    # Fixed steps a channel: a palette fitted to the picture would lose the colour of eyes to that of the sky.
    steps = (np.asarray(small, np.float32) / 17).round() * 17
    return _clip(steps).resize(image.size, Image.Resampling.NEAREST)


def _film(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    values = np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    grain = rng.normal(0, 6, values.shape[:2]).astype(np.float32)
    values = (values * np.array([1.0, 0.97, 0.9], np.float32) + np.array([8, 6, 4], np.float32)) + grain[..., None]
    values[::3] *= 0.97
    return _clip(values)


def _grain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return _clip(
        np.asarray(image, np.float32) + (_noise(rng, image.size, 2) * 6 + _noise(rng, image.size, 90) * 4)[..., None]
    )


_FINISHES: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "none": _none, "watercolour": _watercolour, "halftone": _halftone, "pixels": _pixels, "film": _film,
    "grain": _grain,
}  # fmt: skip
