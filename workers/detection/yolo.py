"""YOLO heads: from one image's raw output to candidates above a floor, in model-input pixels.

Layouts are those of the exports of YOLOv5 (anchor-based), YOLOv8 and later (anchor-free), and of exports that
end in their own suppression (end to end); C is the number of labels.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ManifestError
from workers.detection.boxes import Candidates, Floats

Head = Callable[[Floats, int, float], Candidates]


def anchor_free(raw: Floats, count: int, floor: float) -> Candidates:
    """(4 + C, boxes): cx, cy, w, h in input pixels, then a score per class."""
    scores = raw[4:].max(axis=0)
    rows = np.flatnonzero(scores >= floor)
    picked = raw[:, rows]
    return Candidates(_corners(picked[:4].T), scores[rows], picked[4:].argmax(axis=0).astype(np.int16))


def anchor_based(raw: Floats, count: int, floor: float) -> Candidates:
    """(boxes, 5 + C).

    Cx, cy, w, h in input pixels, objectness, then a score per class; confidence is their product.
    """
    near = raw[raw[:, 4] >= floor]  # a product is never above its first factor
    classes = near[:, 5:] * near[:, 4:5]
    scores = classes.max(axis=1) if len(near) else np.zeros(0, np.float32)
    rows = np.flatnonzero(scores >= floor)
    return Candidates(_corners(near[rows, :4]), scores[rows], classes[rows].argmax(axis=1).astype(np.int16))


def end_to_end(raw: Floats, count: int, floor: float) -> Candidates:
    """(boxes, 6): x0, y0, x1, y1 in input pixels, score, class. Rows of padding have the score 0."""
    rows = raw[(raw[:, 4] >= floor) & (raw[:, 4] > 0)]
    classes = rows[:, 5]
    if len(rows) and not (classes.min() >= 0 and classes.max() < count):
        raise ManifestError(f"the graph names a class {classes.max():g}, there are {count} labels")
    return Candidates(np.ascontiguousarray(rows[:, :4]), rows[:, 4], classes.astype(np.int16))


HEADS: Mapping[str, Head] = {
    "anchor_free": anchor_free,
    "anchor_based": anchor_based,
    "end_to_end": end_to_end,
}


def choose_head(said: str, shape: tuple[int, ...], count: int) -> str:
    """The head that a manifest names, or with "auto" the only one that an output of this shape can be.

    shape: of one image. ManifestError when the shape does not fit, or fits two.
    """
    fitting = []
    if len(shape) == 2:
        fits = {
            "anchor_free": shape[0] == 4 + count,
            "anchor_based": shape[1] == 5 + count,
            "end_to_end": shape[1] == 6,
        }
        fitting = [name for name, fit in fits.items() if fit]
    if said in fitting:
        return said
    if said == "auto" and len(fitting) == 1:
        return fitting[0]
    if said == "auto" and fitting:
        raise ManifestError(f"an output of {shape} may be {' or '.join(fitting)}: name it in output.head")
    expected = f"({4 + count}, boxes), (boxes, {5 + count}) or (boxes, 6)"
    raise ManifestError(f"output.head {said!r} does not fit an output of {shape}: {count} labels need {expected}")


def _corners(boxes: NDArray[np.float32]) -> Floats:
    """(M, 4) centre, width and height → (M, 4) corners."""
    half = np.abs(boxes[:, 2:]) / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1).astype(np.float32)
