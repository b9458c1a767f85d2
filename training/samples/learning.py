"""The loop that trains a small network for a set time, and the moving average of its weights, which is shipped."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Lesson:
    """How long and how fast: the rate rises for a moment, then follows a cosine to almost nothing with the clock."""

    name: str
    seconds: float
    rate: float = 1e-3
    decay: float = 0.02
    write_every: float = 300.0

    def rate_at(self, share: float) -> float:
        """The learning rate at a share 0..1 of the time."""
        if share < 0.03:
            return self.rate * (0.05 + share / 0.03 * 0.95)
        return self.rate * max(0.003, 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def learn(net: Net, loss: Callable[[Net, int], Tensor], lesson: Lesson, write: Callable[[Net], None]) -> Net:
    """Train until the time is over; `loss` gets the network and the step's number. Writes on the way and at the end."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=lesson.rate, weight_decay=lesson.decay)
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.995), use_buffers=True)  # type: ignore[no-untyped-call]
    begun = written = time.monotonic()
    step, share, losses = 0, 0.0, [0.0]
    while share < 1:
        for group in optimiser.param_groups:
            group["lr"] = lesson.rate_at(share)
        found = loss(net.train(), step)
        optimiser.zero_grad(set_to_none=True)
        found.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        averaged.update_parameters(net)
        losses.append(float(found.item()))
        step += 1
        now = time.monotonic()
        share = (now - begun) / lesson.seconds
        if step % 50 == 0:
            recent = losses[-50:]
            sys.stdout.write(f"{lesson.name} {share:.0%} step {step}: loss {sum(recent) / len(recent):.4f}\n")
            sys.stdout.flush()
        if now - written > lesson.write_every:
            written = now
            write(_result(net, averaged))
    final = _result(net, averaged)
    write(final)
    return final


def _result(net: Net, averaged: AveragedModel) -> Net:
    module = averaged.module
    assert isinstance(module, type(net))
    return module.eval()
