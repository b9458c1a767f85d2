"""Batches for training: paddings, flips, small shifts and scales, and wear that changes no colour's name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as fn

from training.samples.cache import Examples
from training.samples.preprocess import SIDE

Rows = NDArray[np.int64]
# Luminance weights: saturation is the distance from them.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Canvas:
    """What a batch is put on: a square of `side` pixels, padded with one grey value."""

    side: int
    pad: int


def batch(
    examples: Examples, rows: Rows, canvas: Canvas, rng: np.random.Generator, mirrored: float = 0.5
) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels `(N, S, S, 3) float32` 0..255, tags `(N, 4 + T)` and boxes `(N, M, 5)` of some rows, augmented.

    mirrored: which share of them is flipped left to right.
    """
    # One scale a batch, so that it is one resize; batches differ.
    side = round(canvas.side * (float(rng.uniform(0.84, 1.0)) if rng.random() < 0.5 else 1.0))
    squares = torch.from_numpy(examples.images[rows])
    if side < SIDE:
        planes = squares.permute(0, 3, 1, 2).float()
        planes = fn.interpolate(planes, size=(side, side), mode="bilinear", align_corners=False)
        squares = planes.to(torch.uint8).permute(0, 2, 3, 1)
    pixels, boxes = _placed(squares.numpy(), examples, rows, canvas, rng, mirrored)
    tags = torch.from_numpy(examples.tags[rows]).float()
    return _worn(torch.from_numpy(pixels).float(), rng), tags, torch.from_numpy(boxes)


def _placed(
    squares: NDArray[np.uint8],
    examples: Examples,
    rows: Rows,
    canvas: Canvas,
    rng: np.random.Generator,
    mirrored: float,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Flip some of the pictures and put each somewhere on the canvas, most of them off centre; boxes follow."""
    side, whole = squares.shape[1], canvas.side
    scale = side / SIDE
    placed = np.full((len(rows), whole, whole, 3), canvas.pad, np.uint8)
    boxes = examples.boxes[rows].copy()
    for i, row in enumerate(rows):
        width, height = (int(v * scale) for v in examples.sizes[row])
        left, top = (side - width) // 2, (side - height) // 2
        picture = squares[i, top : top + height, left : left + width]
        x, y = (
            int(rng.integers(0, whole - size + 1)) if rng.random() < 0.6 else (whole - size) // 2
            for size in (width, height)
        )
        corners = boxes[i, :, 1:] * scale - np.tile([left, top], 2)
        if rng.random() < mirrored:
            picture = picture[:, ::-1]
            corners = np.stack([width - corners[:, 2], corners[:, 1], width - corners[:, 0], corners[:, 3]], 1)
        placed[i, y : y + height, x : x + width] = picture
        boxes[i, :, 1:] = np.clip(corners + np.tile([x, y], 2), 0, whole)
    return placed, boxes.astype(np.float32)


def _worn(pixels: Tensor, rng: np.random.Generator) -> Tensor:
    """Saturation, contrast, brightness and warmth by one matrix a picture; blur and grain for some batches."""
    count = len(pixels)
    saturation = rng.uniform(0.72, 1.25, (count, 1, 1))
    gain = rng.uniform(0.82, 1.15, (count, 1, 1)) * rng.uniform(0.94, 1.06, (count, 1, 3))
    matrix = (np.eye(3) * saturation + _LUMA[:, None] * (1 - saturation)) * gain
    bias = 128 - 128 * gain + rng.uniform(-14, 14, (count, 1, 1))
    flat = torch.baddbmm(
        torch.from_numpy(bias.astype(np.float32)),
        pixels.reshape(count, -1, 3),
        torch.from_numpy(matrix.astype(np.float32)),
    )
    pixels = flat.reshape(pixels.shape)
    if rng.random() < 0.35:
        planes = pixels.permute(0, 3, 1, 2)
        soft = fn.avg_pool2d(planes, 3, 1, 1, count_include_pad=False)
        # From clearly blurred to slightly sharpened.
        pixels = torch.lerp(planes, soft, float(rng.uniform(-0.6, 1.0))).permute(0, 2, 3, 1)
    if rng.random() < 0.4:
        grain = rng.normal(0, rng.uniform(2, 9), (*pixels.shape[1:3], 1)).astype(np.float32)
        pixels = pixels + torch.from_numpy(grain)
    return pixels.clamp(0, 255)
