"""Measures of tags and boxes against the truth, on plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


def f1(found: Flags, truth: Flags) -> float:
    """Micro-F1 of two `(N, T)` tables; 0 where nothing was found and nothing is true."""
    hits = int((found & truth).sum())
    return 2 * hits / max(1, int(found.sum()) + int(truth.sum()))


def best_threshold(scores: Floats, truth: Flags) -> tuple[float, float]:
    """The threshold among .05, .06 … .95 with the best micro-F1, and that F1."""
    grid = [round(0.05 + 0.01 * i, 2) for i in range(91)]
    return max(((t, f1(scores >= t, truth)) for t in grid), key=lambda pair: pair[1])


@dataclass(frozen=True, slots=True)
class Found:
    """Detections of one picture: `boxes (n, 4) xyxy`, `scores (n,)`, `labels (n,) int`."""

    boxes: Floats
    scores: Floats
    labels: NDArray[np.int64]


def iou(a: Floats, b: Floats) -> Floats:
    """IoU of every pair, `(n, m)`."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(-1)
    areas = [np.clip(x[:, 2:] - x[:, :2], 0, None).prod(-1) for x in (a, b)]
    shared: Floats = (inside / np.maximum(areas[0][:, None] + areas[1][None] - inside, 1e-9)).astype(np.float32)
    return shared


def suppress(found: Found, limit: float) -> Found:
    """Class-wise non-maximum suppression at an IoU limit; the result is sorted by falling score."""
    order = np.argsort(-found.scores, kind="stable")
    boxes, labels = found.boxes[order], found.labels[order]
    clash = (iou(boxes, boxes) > limit) & (labels[:, None] == labels[None])
    kept: list[int] = []
    for i in range(len(order)):
        if not clash[i, kept].any():
            kept.append(i)
    rows = order[kept]
    return Found(found.boxes[rows], found.scores[rows], found.labels[rows])


def average_precision(found: Sequence[Found], truth: Sequence[Found], label: int, overlap: float = 0.5) -> float | None:
    """AP of one class over pictures (area under the interpolated curve); None where the truth has none of it."""
    positives = sum(int((t.labels == label).sum()) for t in truth)
    if not positives:
        return None
    marks: list[tuple[float, bool]] = []
    for guess, real in zip(found, truth, strict=True):
        marks += _matched(guess, real, label, overlap)
    marks.sort(key=lambda mark: -mark[0])
    hits = np.cumsum([hit for _, hit in marks]) if marks else np.zeros(0)
    precision = hits / np.arange(1, len(hits) + 1)
    # From the right, precision never rises again: the usual interpolation.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0], hits / positives]))
    return float((envelope * steps).sum())


def hits(guess: Found, real: Found, overlap: float = 0.5) -> int:
    """How many detections of a picture match a box of their class, each box once."""
    return sum(hit for label in np.unique(guess.labels) for _, hit in _matched(guess, real, int(label), overlap))


def _matched(guess: Found, real: Found, label: int, overlap: float) -> list[tuple[float, bool]]:
    mine, theirs = guess.labels == label, real.labels == label
    shared = iou(guess.boxes[mine], real.boxes[theirs])
    free = np.ones(int(theirs.sum()), bool)
    marks = []
    scores = guess.scores[mine]
    for i in np.argsort(-scores, kind="stable"):
        reach = np.where(free, shared[i], 0.0)
        hit = bool(len(reach)) and bool(reach.max() >= overlap)
        if hit:
            free[int(reach.argmax())] = False
        marks.append((float(scores[i]), hit))
    return marks
