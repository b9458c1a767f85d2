"""The network: a trunk of residual blocks, a tagging head over its pooled maps, an anchor-free detection head."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from training.samples.vocabulary import CLASSES, RATINGS, TAGS

MEAN, SPREAD = 140.0, 70.0
STRIDES = (8, 16, 32)
WIDTHS = (48, 64, 128, 192)


def conv(inside: int, outside: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolution (3×3 unless told), batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, 1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3×3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        return fn.relu(x + self.second(self.first(x)))


class Trunk(nn.Module):
    """Maps at strides 8, 16 and 32 from `(N, S, S, 3)` pixels 0..255 (uint8, or float when augmented)."""

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d = widths
        # Straight to a quarter of the size: full-size maps are what costs on a CPU, in training and in use.
        self.stem = conv(3, a, 4, 6)
        self.eighth = nn.Sequential(conv(a, b, 2), Residual(b), Residual(b))
        self.sixteenth = nn.Sequential(conv(b, c, 2), Residual(c), Residual(c))
        self.thirtysecond = nn.Sequential(conv(c, d, 2), Residual(d))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Three maps `(N, C, S/s, S/s)`."""
        x = (pixels.float().permute(0, 3, 1, 2) - MEAN) / SPREAD
        eighth = self.eighth(self.stem(x))
        sixteenth = self.sixteenth(eighth)
        return eighth, sixteenth, self.thirtysecond(sixteenth)


Maps = tuple[Tensor, Tensor, Tensor]


class TagHead(nn.Module):
    """Logits of ratings and tags, `(N, 4 + T)`; a sigmoid belongs on each."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.1)
        self.linear = nn.Linear(2 * (WIDTHS[2] + WIDTHS[3]), len(RATINGS) + len(TAGS))
        # Few tags are true of one picture: starting there saves the first epochs.
        nn.init.constant_(self.linear.bias, -2.5)

    def forward(self, maps: Maps) -> Tensor:
        """Mean and maximum of the two coarse maps: the maximum finds what is small, such as an earring."""
        pooled = [m for x in maps[1:] for m in (x.mean((2, 3)), x.amax((2, 3)))]
        logits: Tensor = self.linear(self.dropout(torch.cat(pooled, 1)))
        return logits


class BoxHead(nn.Module):
    """A box and class logits for each cell of the three maps, in the order of the strides."""

    def __init__(self, neck: int = 48) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(width, neck, 1) for width in WIDTHS[1:])
        self.smooth = nn.ModuleList(conv(neck, neck) for _ in STRIDES)
        self.tower = nn.Sequential(conv(neck, neck), conv(neck, neck))
        self.sides = nn.Conv2d(neck, 4, 3, 1, 1)
        self.classes = nn.Conv2d(neck, len(CLASSES), 3, 1, 1)
        for layer, start in ((self.classes, -4.5), (self.sides, 1.0)):
            assert layer.bias is not None
            nn.init.constant_(layer.bias, start)

    def forward(self, maps: Maps) -> tuple[Tensor, Tensor]:
        """`xyxy (N, A, 4)` in input pixels and class logits `(N, A, C)`."""
        levels = [lateral(x) for lateral, x in zip(self.lateral, maps, strict=True)]
        for i in (1, 0):
            levels[i] = levels[i] + fn.interpolate(levels[i + 1], scale_factor=2.0, mode="nearest")
        boxes, logits = [], []
        for smooth, stride, x in zip(self.smooth, STRIDES, levels, strict=True):
            seen = self.tower(smooth(x))
            reach = fn.softplus(self.sides(seen).float()) * stride
            reach = reach.flatten(2).transpose(1, 2)
            cells = centres(stride, x.shape[2]).to(reach.device)
            boxes.append(torch.cat([cells - reach[..., :2], cells + reach[..., 2:]], -1))
            logits.append(self.classes(seen).float().flatten(2).transpose(1, 2))
        return torch.cat(boxes, 1), torch.cat(logits, 1)


class Eye(nn.Module):
    """One trunk with both heads: they learn together, and each is shipped with its own copy of the trunk."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(WIDTHS)
        self.tags = TagHead()
        self.boxes = BoxHead()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tag logits, boxes and class logits of `(N, S, S, 3)` pixels."""
        maps = self.trunk(pixels)
        boxes, logits = self.boxes(maps)
        return self.tags(maps), boxes, logits


def centres(stride: int, cells: int) -> Tensor:
    """Centres of a square map's cells in input pixels, `(cells², 2) float32`, row by row."""
    steps = (torch.arange(cells, dtype=torch.float32) + 0.5) * stride
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


def grid(side: int) -> Tensor:
    """Centres of all cells of an input of `side` pixels, `(A, 2)`, in the order of the head's output."""
    return torch.cat([centres(stride, side // stride) for stride in STRIDES])
