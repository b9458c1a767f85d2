"""Spoiling a drawing by a known kind and strength, so that quality measures can be tested against the truth."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from training.samples.truth import Degradation, Drawing


def degrade(drawing: Drawing, kind: str, strength: float) -> Drawing:
    """The drawing with one degradation of `KINDS` at strength 0 (almost nothing) to 1 (strong); boxes stay true."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength: expected 0..1, got {strength}")
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {sorted(KINDS)}, got {kind!r}")
    rng = np.random.default_rng([drawing.truth.seed, 991])
    image = KINDS[kind](drawing.image, strength, rng)
    return Drawing(image, replace(drawing.truth, degradation=Degradation(kind, strength)))


def _blur(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(strength * max(image.size) / 90))


def _noise(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    values = np.asarray(image, np.float32) + rng.normal(0, 60 * strength, (image.height, image.width, 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=round(80 - 76 * strength))
    return Image.open(buffer).convert("RGB")


def _contrast(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    values = np.asarray(image, np.float32)
    return Image.fromarray((128 + (values - 128) * (1 - 0.85 * strength)).astype(np.uint8))


def _downscale(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    factor = 1 + 9 * strength
    small = image.resize(
        (max(1, round(image.width / factor)), max(1, round(image.height / factor))), Image.Resampling.BOX
    )
    return small.resize(image.size, Image.Resampling.BILINEAR)


KINDS: dict[str, Callable[[Image.Image, float, np.random.Generator], Image.Image]] = {
    "blur": _blur, "noise": _noise, "jpeg": _jpeg, "low_contrast": _contrast, "downscale": _downscale,
}  # fmt: skip
