"""The frozen eye of the other sample models: the shipped tagger's trunk to a sixteenth of the size, and colours."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as fn

from training.samples import augment
from training.samples.augment import Canvas
from training.samples.cache import Examples
from training.samples.nets import MEAN, SPREAD, WIDTHS, Eye
from training.samples.preprocess import SIDE, WHITE

CELLS = SIDE // 16
PATCHES = 48  # 4 × 4 colours of each cell
CHANNELS = WIDTHS[2] + PATCHES


class Look(nn.Module):
    """Pixels `(N, SIDE, SIDE, 3)` 0..255 to maps `(N, CHANNELS, CELLS, CELLS)`: what is there, and in which colours."""

    def __init__(self, eye: Eye) -> None:
        super().__init__()
        self.stem, self.eighth, self.sixteenth = eye.trunk.stem, eye.trunk.eighth, eye.trunk.sixteenth

    def forward(self, pixels: Tensor) -> Tensor:
        """The trunk's map at stride 16 beside the mean colours of a 4 × 4 grid in each of its cells."""
        x = (pixels.float().permute(0, 3, 1, 2) - MEAN) / SPREAD
        seen = self.sixteenth(self.eighth(self.stem(x)))
        colours = fn.pixel_unshuffle(fn.avg_pool2d(x, 4), 4)
        return torch.cat([seen, colours], 1)


def shipped_eye(folder: Path) -> Eye:
    """The trunk out of a shipped tagger's graph, batch norms folded; the heads are left as they are."""
    from training.samples.export import folded

    eye = folded(Eye())
    graph = onnx.load(folder / "model.onnx").graph
    weights = {each.name.removesuffix(".half"): numpy_helper.to_array(each) for each in graph.initializer}
    trunk = {
        name.removeprefix("trunk."): torch.from_numpy(values.astype(np.float32))
        for name, values in weights.items()
        if name.startswith("trunk.")
    }
    eye.trunk.load_state_dict(trunk)
    return eye.eval()


def write_maps(look: Look, examples: Examples, crowds: NDArray[np.bool_], path: Path, times: int, seed: int) -> None:
    """Maps of every drawing, `times` over with other wear and place, as `(times * N, C, H, W) float16` in a file.

    crowds: pictures of several people, which are not mirrored: their captions go from left to right.
    """
    rng = np.random.default_rng(seed)
    count = len(examples.images)
    shape = (times * count, CHANNELS, CELLS, CELLS)
    maps = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    with torch.inference_mode():
        for round_ in range(times):
            for group, mirrored in ((np.flatnonzero(crowds), 0.0), (np.flatnonzero(~crowds), 0.5)):
                for start in range(0, len(group), 64):
                    rows = group[start : start + 64]
                    if round_:
                        pixels, _, _ = augment.batch(examples, rows, Canvas(SIDE, WHITE), rng, mirrored)
                    else:
                        pixels = torch.from_numpy(plain(examples, rows))
                    maps[round_ * count + rows] = look(pixels).to(torch.float16).numpy()
    maps.flush()


def plain(examples: Examples, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The cached pictures on white, as the shipped manifests prepare them."""
    squares = examples.images[rows].copy()
    for i, row in enumerate(rows):
        width, height = (int(v) for v in examples.sizes[row])
        left, top = (SIDE - width) // 2, (SIDE - height) // 2
        picture = squares[i, top : top + height, left : left + width].copy()
        squares[i] = WHITE
        squares[i, top : top + height, left : left + width] = picture
    return squares
