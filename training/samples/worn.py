"""Drawings spoilt by a known kind and strength, prepared as the quality models see them, kept on disk."""

from __future__ import annotations

import random
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.samples import drawing, sampling
from training.samples.degrade import KINDS, degrade
from training.samples.preprocess import CROP, for_judge
from training.samples.splits import Split

VARIANTS = 4
Rows = tuple[NDArray[np.uint8], NDArray[np.float32]]


def strengths(split: Split, folder: Path, workers: int = 2) -> Rows:
    """Crops `(N, CROP, CROP, 3) uint8` and how badly each was spoilt `(N,)`, 0 for a clean one; drawn once."""
    path = folder / f"worn-{split.name}-{split.start}-{split.size}-{CROP}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with Pool(workers) as pool:
            parts = pool.map(_variants, [(split, seed) for seed in split.seeds()], chunksize=8)
        unfinished = path.with_suffix(".tmp.npz")
        np.savez(unfinished, crops=np.concatenate([p[0] for p in parts]), worn=np.concatenate([p[1] for p in parts]))
        unfinished.rename(path)
    with np.load(path) as kept:
        return kept["crops"], kept["worn"]


def _variants(job: tuple[Split, int]) -> Rows:
    split, seed = job
    rng = random.Random(seed * 31 + 7)
    drawn = drawing.render(sampling.scene(seed, split.style(seed)))
    crops, worn = [], []
    for _ in range(VARIANTS):
        kind, strength = rng.choice(sorted(KINDS)), rng.random()
        if rng.random() < 0.12:
            strength = 0.0
        crops.append(for_judge((degrade(drawn, kind, strength) if strength else drawn).image))
        worn.append(strength)
    return np.stack(crops), np.array(worn, np.float32)
