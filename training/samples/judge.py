"""The networks that judge how well a picture is made: a small one for technical quality, and BRISQUE as a graph."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from training.samples.nets import MEAN, SPREAD, Residual, conv

BINS = 10
_CENTRES = 256


class Judge(nn.Module):
    """Logits of ten bins, 1 worst … 10 best, for `(N, S, S, 3)` pixels 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.eye = nn.Sequential(
            conv(3, 16, 2, 5), conv(16, 32, 2), conv(32, 48, 2), Residual(48), conv(48, 64, 2), Residual(64)
        )
        self.head = nn.Sequential(nn.Linear(64 * 2 + 16 * 2, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, BINS))

    def forward(self, pixels: Tensor) -> Tensor:
        """Mean and spread of coarse maps say what is there, those of fine maps how clean it is."""
        x = (pixels.float().permute(0, 3, 1, 2) - MEAN) / SPREAD
        fine = self.eye[0](x)
        coarse = self.eye[1:](fine)
        pooled = [part for maps in (fine, coarse) for part in (maps.mean((2, 3)), _spread(maps))]
        return self.head(torch.cat(pooled, 1))


def _spread(maps: Tensor) -> Tensor:
    return (maps.flatten(2).var(-1, correction=0) + 1e-4).sqrt()


def target(quality: Tensor) -> Tensor:
    """Ten bins around a quality 1..10, `(N,)` to `(N, BINS)`: a normal distribution with a deviation of 0.9."""
    bins = torch.arange(1, BINS + 1, dtype=torch.float32)
    weights = torch.exp(-0.5 * ((bins - quality[:, None]) / 0.9) ** 2)
    return weights / weights.sum(1, keepdim=True)


def earth_movers(logits: Tensor, truth: Tensor) -> Tensor:
    """Squared earth mover's distance (r = 2) between distributions over the bins, as NIMA is trained with (R23)."""
    gap = logits.softmax(-1).cumsum(-1) - truth.cumsum(-1)
    return (gap.square().mean(-1) + 1e-8).sqrt().mean()


class BrisqueFeatures(nn.Module):
    """The 36 features of Mittal, Moorthy and Bovik (2012), as their published MATLAB code computes them.

    Grey levels by BT.601, rounded; local mean and deviation under a 7 × 7 Gaussian of deviation 7/6 with replicated
    borders, constant 1; asymmetric generalised Gaussian fits by moment matching over shapes .2, .201 … 10, with
    neighbours taken around the border; the second scale is half the size by an antialiased bicubic filter.
    """

    def __init__(self) -> None:
        super().__init__()
        steps = torch.arange(7, dtype=torch.float64) - 3
        line = torch.exp(-(steps**2) / (2 * (7 / 6) ** 2))
        self.register_buffer("window", (line / line.sum()).float()[None, None, None])
        shapes = torch.linspace(0.2, 10, 9801, dtype=torch.float64)
        log = torch.lgamma
        ratio = torch.exp(2 * log(2 / shapes) - log(1 / shapes) - log(3 / shapes))
        self.register_buffer("shapes", shapes.float())
        self.register_buffer("middles", ((ratio[1:] + ratio[:-1]) / 2).float())
        # Of the mean: Γ(2/α) / Γ(1/α) · sqrt(Γ(1/α) / Γ(3/α)).
        mean = torch.exp(log(2 / shapes) - log(1 / shapes) + 0.5 * (log(1 / shapes) - log(3 / shapes)))
        self.register_buffer("means", mean.float())
        taps = torch.tensor([_cubic((tap - 3.5) / 2) / 2 for tap in range(8)], dtype=torch.float64)
        half = taps[:, None] * taps[None]
        self.register_buffer("halving", (half / half.sum()).float()[None, None])

    def forward(self, pixels: Tensor) -> Tensor:
        """`(N, S, S, 3)` pixels 0..255, S a multiple of 2, to `(N, 36)`."""
        red, green, blue = pixels.float().unbind(-1)  # a product with three weights is slow in ONNX Runtime
        grey = torch.round(red * 0.298936021293775 + green * 0.587043074451121 + blue * 0.114020904255103)
        small = fn.conv2d(_symmetric(grey[:, None], 3), self.halving, stride=2)[:, 0]
        return torch.cat([self.scale(grey), self.scale(small)], 1)

    def scale(self, grey: Tensor) -> Tensor:
        """The 18 features of one scale, `(N, H, W)` to `(N, 18)`."""
        # Around the middle of the range, so that float32 keeps the variance of flat areas.
        x = grey[:, None] - 128.0
        mean, square = self.smooth(x), self.smooth(x * x)
        structure = ((x - mean) / ((square - mean * mean).abs().sqrt() + 1.0))[:, 0]
        shape, _, left, right = self.fit(structure)
        found = [shape, (left + right) / 2]
        for down, across in ((0, 1), (1, 0), (1, 1), (-1, 1)):
            shape, mean_of, left, right = self.fit(structure * torch.roll(structure, (down, across), (1, 2)))
            found += [shape, mean_of, left, right]
        return torch.stack(found, 1)

    def smooth(self, x: Tensor) -> Tensor:
        """The Gaussian window, which is a product of two lines."""
        rows = fn.conv2d(fn.pad(x, (3, 3, 3, 3), mode="replicate"), self.window)
        return fn.conv2d(rows, self.window.transpose(2, 3))

    def fit(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Shape, mean and the left and right variance of asymmetric generalised Gaussians, `(N,)` each."""
        flat = values.flatten(1)
        low, high = fn.relu(-flat), fn.relu(flat)
        squares = (low * low).sum(1), (high * high).sum(1)
        left = squares[0] / low.sign().sum(1).clamp(min=1)
        right = squares[1] / high.sign().sum(1).clamp(min=1)
        both = (left + 1e-12).sqrt() / (right + 1e-12).sqrt()
        count = flat.shape[1]
        ratio = ((low.sum(1) + high.sum(1)) / count) ** 2 / ((squares[0] + squares[1]) / count).clamp(min=1e-12)
        ratio = ratio * (both**3 + 1) * (both + 1) / (both**2 + 1) ** 2
        # Ratios rise with the shape: the nearest one is found by counting those below the middles between them.
        at = (self.middles[None] < ratio[:, None]).sum(1)
        return self.shapes[at], (right.sqrt() - left.sqrt()) * self.means[at], left, right


def _cubic(x: float) -> float:
    """Keys' kernel with a = −1/2."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def _symmetric(x: Tensor, width: int) -> Tensor:
    """Borders mirrored with the edge repeated."""
    x = torch.cat([x[..., :width].flip(-1), x, x[..., -width:].flip(-1)], -1)
    return torch.cat([x[..., :width, :].flip(-2), x, x[..., -width:, :].flip(-2)], -2)


class Brisque(nn.Module):
    """Features to 0 (best) … 100 (worst): support vector regression with a radial kernel around known examples."""

    def __init__(self, examples: Tensor) -> None:
        super().__init__()
        low, high = examples.amin(0), examples.amax(0)
        self.register_buffer("low", low)
        self.register_buffer("span", (high - low).clamp(min=1e-6))
        chosen = torch.randperm(len(examples), generator=torch.Generator().manual_seed(0))[:_CENTRES]
        self.register_buffer("support", self.scaled(examples[chosen]))
        self.weights = nn.Parameter(torch.zeros(len(self.support)))
        self.bias = nn.Parameter(torch.tensor(50.0))
        self.gamma = nn.Parameter(torch.tensor(math.log(0.15)))

    def scaled(self, features: Tensor) -> Tensor:
        """Features to −1..1 over the examples, and not far beyond."""
        return ((features - self.low) / self.span * 2 - 1).clamp(-1.5, 1.5)

    def forward(self, features: Tensor) -> Tensor:
        """`(N, 36)` to `(N,)`, not clipped."""
        x = self.scaled(features)
        distance = (x * x).sum(1, keepdim=True) + (self.support * self.support).sum(1) - 2 * x @ self.support.T
        return torch.exp(-self.gamma.exp() * distance.clamp(min=0)) @ self.weights + self.bias
