"""What the other shipped models reach on drawings that were never trained on: captions, retrieval, quality, rating."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import asdict, dataclass, replace
from importlib import resources
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.model_text import parse
from training.samples import sampling, splits, worn
from training.samples.attributes import attributes
from training.samples.drawing import draw
from training.samples.facts import Sieve, facts
from training.samples.preprocess import for_tagger
from training.samples.queries import query
from training.samples.shipped import SampleCaptioner, SampleEncoder, SampleGraph
from training.samples.splits import Split
from training.samples.vocabulary import RATINGS

# Full-size drawings, spoilt in a known way; their seeds are nobody else's.
WORN_HELD_OUT = Split("worn_held_out", 31_000_000, 400)
WORN_UNSEEN = Split("worn_unseen", 41_000_000, 200, styles=splits.UNSEEN_STYLES.styles)
_BATCH = 32
TOP = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one split: shares in 0..1, rank correlations in −1..1."""

    split: str
    drawings: int
    caption_precision: float
    caption_recall: float
    caption_exact: float
    retrieval: float  # a satisfying picture among the first ten that reach the floor
    cut: float  # of all pictures, for all queries: below the floor
    lost: float  # of those that satisfy the query: below the floor
    rating: float
    quality: float  # rank correlation of the mean with how little was spoilt
    brisque: float


def run(folder: Path, cache: Path, *, most: int = 1_000, as_json: bool = False) -> None:
    """Measure both held-out splits and print the figures."""
    parts = ((splits.HELD_OUT, WORN_HELD_OUT), (splits.UNSEEN_STYLES, WORN_UNSEEN))
    cut = [[replace(split, size=min(split.size, most)) for split in pair] for pair in parts]
    found = [measure(plain, spoilt, folder, cache) for plain, spoilt in cut]
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=1) + "\n")
        return
    for one in found:
        sys.stdout.write(
            f"{one.split} ({one.drawings} drawings): attributes in captions: precision {one.caption_precision:.3f}, "
            f"recall {one.caption_recall:.3f}; whole caption right {one.caption_exact:.3f}; text to image recall@10 "
            f"{one.retrieval:.3f} (the floor cuts {one.cut:.3f} of all pictures, {one.lost:.3f} of the true "
            f"ones); rating {one.rating:.3f}; rank correlation with the wear: quality {one.quality:.3f}, "
            f"BRISQUE {one.brisque:.3f}\n"
        )


def measure(split: Split, spoilt: Split, folder: Path, cache: Path) -> Measured:
    """All figures of a split and of its spoilt sibling."""
    pixels, captions, ratings = drawn(split)
    precision, recall, exact = captions_of(pixels, captions, folder)
    quality, brisque = judged(spoilt, folder, cache)
    return Measured(
        split.name, len(pixels), precision, recall, exact, *retrieved(pixels, split, folder),
        rated(pixels, ratings, folder), quality, brisque,
    )  # fmt: skip


def drawn(split: Split) -> tuple[NDArray[np.uint8], list[str], list[str]]:
    """Prepared pictures `(N, SIDE, SIDE, 3)` of a split, their true captions and their ratings."""
    with Pool(2) as pool:
        rows = pool.map(_drawn, [(seed, split.style(seed)) for seed in split.seeds()], chunksize=16)
    return np.stack([row[0] for row in rows]), [row[1] for row in rows], [row[2] for row in rows]


def _drawn(job: tuple[int, str | None]) -> tuple[NDArray[np.uint8], str, str]:
    seed, style = job
    drawing = draw(seed, style=style)
    return for_tagger(drawing.image), drawing.truth.caption, drawing.truth.rating


def captions_of(pixels: NDArray[np.uint8], truths: list[str], folder: Path) -> tuple[float, float, float]:
    """Precision and recall of attributes, and the share of captions that are right as a whole."""
    captioner = SampleCaptioner(folder / "sample-captioner")
    told = [text for start in range(0, len(pixels), _BATCH) for text in captioner.write(pixels[start : start + _BATCH])]
    pairs = [(attributes(text), attributes(truth)) for text, truth in zip(told, truths, strict=True)]
    right = sum(len(a & b) for a, b in pairs)
    claimed, held = sum(len(a) for a, _ in pairs), sum(len(b) for _, b in pairs)
    exact = np.mean([text == truth for text, truth in zip(told, truths, strict=True)])
    return round(right / claimed, 4), round(right / held, 4), round(float(exact), 4)


def rated(pixels: NDArray[np.uint8], truths: list[str], folder: Path) -> float:
    """The share whose most probable rating is the true one."""
    told = SampleGraph(folder / "sample-rating").run(pixels)["scores"].argmax(1)
    return round(float(np.mean([RATINGS[i] == truth for i, truth in zip(told, truths, strict=True)])), 4)


def judged(spoilt: Split, folder: Path, cache: Path) -> tuple[float, float]:
    """Rank correlations of the quality model's mean with how little was spoilt, and of BRISQUE with how much."""
    crops, strengths = worn.strengths(spoilt, cache)
    bins = SampleGraph(folder / "sample-quality").run(crops)["bins"]
    brisque = SampleGraph(folder / "sample-brisque").run(crops)["score"][:, 0]
    means = bins @ np.arange(1, 11)
    return round(rank_correlation(means, -strengths), 4), round(rank_correlation(brisque, strengths), 4)


def retrieved(pixels: NDArray[np.uint8], split: Split, folder: Path) -> tuple[float, float, float]:
    """How many queries, one from each drawing, have a satisfying picture among the first ten that reach the floor.

    And what shares of all pictures, and of those that satisfy the query, are below that.
    """
    floor = _floor()
    encoder = SampleEncoder(folder / "sample-encoder")
    pictures = np.concatenate([encoder.pictures(pixels[at : at + _BATCH]) for at in range(0, len(pixels), _BATCH)])
    known = [facts(sampling.scene(seed, split.style(seed))) for seed in split.seeds()]
    chance, sieve = random.Random(5), Sieve(known)
    queries = [query(each, chance) for each in known]
    hits, below, true, lost = 0, 0, 0, 0
    for asked in queries:
        cosines = pictures @ encoder.texts([asked.text])[0]
        fits = sieve.satisfied(np.arange(len(pictures)), asked.people, asked.scene)
        close = cosines >= floor
        best = np.argsort(-cosines)[:TOP]
        hits += bool((fits & close)[best].any())
        below, true, lost = below + int((~close).sum()), true + int(fits.sum()), lost + int((fits & ~close).sum())
    return round(hits / len(queries), 4), round(below / len(queries) / len(pictures), 4), round(lost / true, 4)


def _floor() -> float:
    """The cosine from which the sample encoder's manifest says that a picture is a hit."""
    manifest = resources.files("schemas") / "manifests" / "sample-encoder.toml"
    return parse(manifest.read_text(encoding="utf-8"), manifest.name).thresholds.text


def rank_correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's coefficient, ties by their mean rank."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: NDArray[np.float64] = (last - (count - 1) / 2)[place]
    return ranks
