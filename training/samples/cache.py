"""Training pictures, drawn once and kept small on disk: `.npz` parts of a split, in the layout that training reads."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.samples import drawing, sampling
from training.samples.preprocess import SIDE
from training.samples.splits import Split
from training.samples.vocabulary import CLASSES, RATINGS, TAGS

MAX_BOXES = 12
PART = 500


@dataclass(frozen=True, slots=True)
class Examples:
    """N drawings as arrays.

    `images (N, SIDE, SIDE, 3) uint8 RGB` fitted and centred, zero outside; `sizes (N, 2) int16` width and height of
    the fitted picture; `tags (N, 4 + T) uint8` ratings first; `boxes (N, MAX_BOXES, 5) float32` class and `xyxy` in
    input pixels, class −1 where there is none.
    """

    images: NDArray[np.uint8]
    sizes: NDArray[np.int16]
    tags: NDArray[np.uint8]
    boxes: NDArray[np.float32]


def parts(split: Split, folder: Path) -> list[tuple[Path, range]]:
    """The files that a split is kept in, with the seeds of each."""
    starts = range(split.start, split.start + split.size, PART)
    return [
        (folder / f"{split.name}-{s}-{SIDE}.npz", range(s, min(s + PART, split.start + split.size))) for s in starts
    ]


def fill(split: Split, folder: Path, workers: int = 2) -> None:
    """Draw the parts of a split that are not there yet; a stopped run goes on where it was."""
    folder.mkdir(parents=True, exist_ok=True)
    with Pool(workers) as pool:
        for path, seeds in parts(split, folder):
            if not path.exists():
                _write(path, pool.map(_example, [(split, seed) for seed in seeds], chunksize=16))


def load(split: Split, folder: Path) -> Examples:
    """All parts of a split that have been drawn so far; at least one must have been."""
    tables = []
    for path, _ in parts(split, folder):
        if path.exists():
            with np.load(path) as kept:
                tables.append((kept["images"], kept["sizes"], kept["tags"], kept["boxes"]))
    images, sizes, tags, boxes = (np.concatenate(column) for column in zip(*tables, strict=True))
    return Examples(images, sizes, tags, boxes)


Row = tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.uint8], NDArray[np.float32]]


def _write(path: Path, rows: list[Row]) -> None:
    images, sizes, tags, boxes = (np.stack(column) for column in zip(*rows, strict=True))
    unfinished = path.with_suffix(".tmp.npz")
    np.savez(unfinished, images=images, sizes=sizes, tags=tags, boxes=boxes)
    unfinished.rename(path)


def _example(job: tuple[Split, int]) -> Row:
    split, seed = job
    drawn = drawing.render(sampling.scene(seed, split.style(seed)), zoom=split.zoom)
    truth = drawn.truth
    scale = SIDE / max(truth.width, truth.height)
    width, height = round(truth.width * scale), round(truth.height * scale)
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    image = drawn.image.resize((width, height), Image.Resampling.BICUBIC)
    if split.zoom < 1:
        image = _worn(image, random.Random(seed))
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[top : top + height, left : left + width] = np.asarray(image)
    names = set(truth.tags) | {truth.rating}
    tags = np.array([name in names for name in (*RATINGS, *TAGS)], np.uint8)
    boxes = np.full((MAX_BOXES, 5), -1, np.float32)
    for i, box in enumerate(truth.boxes):
        x0, y0, x1, y1 = (v * scale for v in box.xyxy)
        boxes[i] = (CLASSES.index(box.label), x0 + left, y0 + top, x1 + left, y1 + top)
    return square, np.array([width, height], np.int16), tags, boxes


def _worn(image: Image.Image, rng: random.Random) -> Image.Image:
    """A third of the training pictures have been through a JPEG."""
    if rng.random() > 0.33:
        return image
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=rng.randint(45, 92))
    return Image.open(buffer).convert("RGB")
