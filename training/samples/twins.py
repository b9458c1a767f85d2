"""The dual encoder's network: pictures and texts as vectors of one space."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from training.samples.sentences import INNER, WIDTH, Neck, attend

WIDE = 256
TEXT_LENGTH = 40


class TextLayer(nn.Module):
    """Self-attention and a feed-forward step, normalised before each."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.own, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.inner = nn.Sequential(nn.Linear(WIDTH, INNER), nn.GELU(), nn.Linear(INNER, WIDTH))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Same shape in and out."""
        query, keys, values = self.own(self.first(x)).chunk(3, -1)
        x = x + self.out(attend(query, keys, values, mask))
        return x + self.inner(self.second(x))


class Twins(nn.Module):
    """A picture and a text to vectors of one space, where those that belong together lie close."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.neck = Neck()
        self.asks = nn.Parameter(torch.randn(1, 8, WIDTH) * 0.05)
        self.keys = nn.Linear(WIDTH, 2 * WIDTH)
        self.picture = nn.Sequential(nn.Linear(8 * WIDTH, 512), nn.GELU(), nn.Linear(512, WIDE))
        self.words = nn.Embedding(words, WIDTH)
        self.places = nn.Parameter(torch.randn(1, TEXT_LENGTH, WIDTH) * 0.02)
        self.layers = nn.ModuleList(TextLayer() for _ in range(2))
        self.text = nn.Sequential(nn.Linear(2 * WIDTH, 256), nn.GELU(), nn.Linear(256, WIDE))
        self.scale = nn.Parameter(torch.tensor(2.7))  # logarithm of what cosines are multiplied by in training
        nn.init.normal_(self.words.weight, std=0.05)

    def of_maps(self, maps: Tensor) -> Tensor:
        """Vectors of length 1, `(N, WIDE)`, of frozen maps."""
        cells = self.neck(maps)
        keys, values = self.keys(cells).chunk(2, -1)
        found = attend(self.asks.expand(cells.shape[0], -1, -1), keys, values)
        return fn.normalize(self.picture(found.flatten(1)), dim=-1)

    def of_texts(self, ids: Tensor) -> Tensor:
        """Vectors of length 1, `(N, WIDE)`, of token ids `(N, TEXT_LENGTH) int64`, 0 where there is no token."""
        there = ids != 0
        x = self.words(ids) + self.places
        for layer in self.layers:
            x = layer(x, there[:, None, None])
        held = there[..., None].to(x.dtype)
        mean = (x * held).sum(1) / held.sum(1).clamp(min=1)
        most = (x - (1 - held) * 1e4).amax(1)
        return fn.normalize(self.text(torch.cat([mean, most.clamp(min=-1e3)], -1)), dim=-1)
