"""The captioner's network: cells of the picture as memory, and a decoder that writes one word after the other."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from training.samples.look import CELLS, CHANNELS
from training.samples.nets import Residual

WIDTH, HEADS, LAYERS, INNER = 128, 4, 3, 384
LONGEST = 72


class Neck(nn.Module):
    """Frozen maps `(N, CHANNELS, CELLS, CELLS)` to cells `(N, CELLS², WIDTH)` that know where they are."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(CHANNELS, WIDTH, 1)
        self.block = Residual(WIDTH)
        self.place = nn.Parameter(torch.randn(1, CELLS * CELLS, WIDTH) * 0.02)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, maps: Tensor) -> Tensor:
        """Cells row by row."""
        cells = self.block(fn.relu(self.enter(maps))).flatten(2).transpose(1, 2)
        return self.norm(cells + self.place)


def heads(x: Tensor) -> Tensor:
    """`(N, T, WIDTH)` to `(N, HEADS, T, WIDTH / HEADS)`."""
    return x.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)


def attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention over `(N, T, WIDTH)`; mask `(…, T, S)` is True where a position may be seen."""
    weights = heads(query) @ heads(keys).transpose(-1, -2) * (WIDTH // HEADS) ** -0.5
    if mask is not None:
        weights = weights.masked_fill(~mask, -1e4)
    return (weights.softmax(-1) @ heads(values)).transpose(1, 2).flatten(-2)


class Layer(nn.Module):
    """Attention to the words so far, to the picture, and a feed-forward step; normalised before each."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.own = nn.Linear(WIDTH, 3 * WIDTH)
        self.own_out = nn.Linear(WIDTH, WIDTH)
        self.ask = nn.Linear(WIDTH, WIDTH)
        self.ask_out = nn.Linear(WIDTH, WIDTH)
        self.inner = nn.Sequential(nn.Linear(WIDTH, INNER), nn.GELU(), nn.Linear(INNER, WIDTH))
        self.dropout = nn.Dropout(0.1)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None, cross: tuple[Tensor, Tensor], mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The words' states, and the keys and values of all words so far."""
        query, keys, values = self.own(self.norms[0](x)).chunk(3, -1)
        if past is not None:
            keys, values = torch.cat([past[0], keys], 1), torch.cat([past[1], values], 1)
        x = x + self.dropout(self.own_out(attend(query, keys, values, mask)))
        x = x + self.dropout(self.ask_out(attend(self.ask(self.norms[1](x)), *cross)))
        return x + self.dropout(self.inner(self.norms[2](x))), keys, values


class Teller(nn.Module):
    """Neck and decoder. The keys and values of the picture are made once, not at every word."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.neck = Neck()
        self.cross = nn.Linear(WIDTH, 2 * LAYERS * WIDTH)
        self.words = nn.Embedding(words, WIDTH)
        self.places = nn.Embedding(LONGEST, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)

    def see(self, maps: Tensor) -> Tensor:
        """Keys and values of the picture for each layer, `(N, 2 * LAYERS, CELLS², WIDTH)`."""
        return self.cross(self.neck(maps)).unflatten(-1, (2 * LAYERS, WIDTH)).transpose(1, 2)

    def forward(self, maps: Tensor, ids: Tensor) -> Tensor:
        """Logits `(N, T, words)` of what follows each of the words `(N, T)`; for training."""
        cross = self.see(maps)
        steps = torch.arange(ids.shape[1])
        mask = steps[:, None] >= steps[None]
        x = self.words(ids) + self.places(steps)
        for number, layer in enumerate(self.layers):
            x, _, _ = layer(x, None, (cross[:, 2 * number], cross[:, 2 * number + 1]), mask)
        return fn.linear(self.norm(x), self.words.weight)

    def step(self, ids: Tensor, position: Tensor, cross: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `(N, words)` of what follows one more word `(N,)`, and all keys and values with it.

        position: (1,) int64, how many words came before. past: `(N, 2 * LAYERS, position, WIDTH)`.
        """
        x = self.words(ids)[:, None] + self.places(position)
        present = []
        for number, layer in enumerate(self.layers):
            kept = (past[:, 2 * number], past[:, 2 * number + 1])
            x, keys, values = layer(x, kept, (cross[:, 2 * number], cross[:, 2 * number + 1]), None)
            present += [keys, values]
        return fn.linear(self.norm(x), self.words.weight)[:, 0], torch.stack(present, 1)
