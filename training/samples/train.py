"""One seeded command that draws the training pictures, trains both models on the CPU for a set time, and exports."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, replace
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.samples import augment, cache, export, splits
from training.samples.augment import Canvas
from training.samples.cache import Examples
from training.samples.losses import box_loss, tag_loss
from training.samples.nets import Eye
from training.samples.preprocess import GREY, SIDE, WHITE

SMALL = 128
WEIGHTS = "eye.pt"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to learn. The rate follows the clock, so a busy machine still ends with a cool network."""

    seconds: float
    processes: int = 2
    batch: int = 32  # of each process
    rate: float = 3e-3
    decay: float = 0.02
    seed: int = 0
    warm: float = 0.06  # share of the time in which the rate rises
    start: Path | None = None  # weights of an earlier run to go on from
    small: float = 0.6  # share of the time on small pictures: most is learned there at half the cost

    def rate_at(self, share: float) -> float:
        """The learning rate at a share 0..1 of the time: up, then down a cosine to almost nothing."""
        if share < self.warm:
            return self.rate * (0.05 + 0.95 * share / self.warm)
        return self.rate * max(0.003, 0.5 * (1 + math.cos(math.pi * min(1.0, (share - self.warm) / (1 - self.warm)))))


def loss_of(eye: nn.Module, pixels: Tensor, tags: Tensor, boxes: Tensor) -> Tensor:
    """Both heads' losses on a batch, weighted to be of like size."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        tag_logits, found, box_logits = eye(pixels)
    return tag_loss(tag_logits, tags) + 3.0 * box_loss(found, box_logits, boxes, pixels.shape[1])


class Course:
    """A network on its way: its optimiser and the moving average of its weights, which is what gets shipped."""

    def __init__(self, plan: Plan, rank: int = 0) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.rng = np.random.default_rng([plan.seed, rank])
        self.eye = Eye().to(memory_format=torch.channels_last)
        if plan.start:
            self.eye.load_state_dict(torch.load(plan.start, weights_only=True))
        self.optimiser = torch.optim.AdamW(self.eye.parameters(), lr=plan.rate, weight_decay=plan.decay)
        average = get_ema_multi_avg_fn(0.99)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(self.eye, multi_avg_fn=average, use_buffers=True)

    def step(self, examples: Examples, share: float, pad: int) -> float:
        """One batch; `share` 0..1 is how much of the time has passed. Returns the loss."""
        rows = np.sort(self.rng.choice(len(examples.images), min(self.plan.batch, len(examples.images)), replace=False))
        canvas = Canvas(SMALL if share < self.plan.small else SIDE, pad)
        pixels, tags, boxes = augment.batch(examples, rows, canvas, self.rng)
        loss = loss_of(self.eye, pixels, tags, boxes)
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate_at(share)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in self.eye.parameters() if p.grad is not None]
        if distributed.is_initialized():
            _shared(gradients)
        nn.utils.clip_grad_norm_(self.eye.parameters(), 20.0)
        self.optimiser.step()
        self.averaged.update_parameters(self.eye)
        return float(loss.item())

    def result(self) -> Eye:
        """The averaged network in evaluation mode."""
        eye = self.averaged.module
        assert isinstance(eye, Eye)
        return eye.eval()


def _shared(tensors: list[Tensor]) -> None:
    """Replace tensors by their mean over the processes, in one exchange."""
    flat = torch.cat([t.reshape(-1) for t in tensors])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))


def fit(rank: int, meeting: str, folder: Path, plan: Plan, out: Path, write_every: float = 240.0) -> None:
    """One of `plan.processes` processes that train together for the plan's time; the first one writes files.

    One thread each: two threads in one process wait for each other at every layer, which a busy machine punishes.
    """
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=plan.processes)
    course, examples = Course(plan, rank), cache.load(splits.TRAIN, folder)
    begun = written = time.monotonic()
    step, share, losses = 0, 0.0, [0.0]
    while share < 1:
        # Each head meets both paddings: one trunk serves a white pad and a grey one.
        losses.append(course.step(examples, share, WHITE if step % 2 else GREY))
        step += 1
        # The processes' clocks are averaged, so that all agree on the rate and on the end.
        clock = torch.tensor([(time.monotonic() - begun) / plan.seconds])
        _shared([clock])
        share = float(clock)
        if step % 50 == 0:
            examples = _report(rank, share, step, losses, examples, folder)
        if rank == 0 and time.monotonic() - written > write_every:
            written = time.monotonic()
            ship(course.result(), out, examples)
    if rank == 0:
        ship(course.result(), out, examples)
    distributed.destroy_process_group()


def _report(rank: int, share: float, step: int, losses: list[float], examples: Examples, folder: Path) -> Examples:
    """Say how it goes, and take in what has been drawn meanwhile."""
    if rank == 0:
        sys.stdout.write(
            f"{share:.0%} step {step}, {len(examples.images)} drawings: loss {np.mean(losses[-50:]):.3f}\n"
        )
        sys.stdout.flush()
    drawn = sum(path.exists() for path, _ in cache.parts(splits.TRAIN, folder)) * cache.PART
    return cache.load(splits.TRAIN, folder) if drawn > len(examples.images) else examples


def ship(eye: Eye, out: Path, examples: Examples) -> None:
    """Export both models with their label files below `out`, and the weights to go on from."""
    export.tagger(eye, out / "sample-tagger", export.counts(examples.tags))
    export.detector(eye, out / "sample-detector")
    torch.save(eye.state_dict(), out / WEIGHTS)


def main(out: Path, folder: Path, seed: int, minutes: float, start: Path | None = None) -> None:
    """Draw, train, export: `out/sample-tagger` and `out/sample-detector` get the files that are shipped."""
    first = replace(splits.TRAIN, size=cache.PART * 2)
    cache.fill(first, folder)
    # The rest is drawn while the first batches already teach.
    drawing = Process(target=cache.fill, args=(splits.TRAIN, folder))
    drawing.start()
    with TemporaryDirectory() as room:
        plan = Plan(minutes * 60, seed=seed)
        if start:  # what is learned on small pictures is learned already
            plan = replace(plan, start=start, small=0.0, rate=plan.rate / 2)
        spawn(fit, (f"{room}/meeting", folder, plan, out), nprocs=plan.processes)
    drawing.join()
