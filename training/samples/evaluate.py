"""What the shipped models reach on drawings that were never trained on, with thresholds chosen on validation."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from training.samples import splits
from training.samples.drawing import draw
from training.samples.metrics import Flags, Floats, Found, average_precision, best_threshold, f1, hits
from training.samples.shipped import BOX_THRESHOLD, FLOOR, PACKAGED, SampleDetector, SampleTagger
from training.samples.vocabulary import CLASSES, RATINGS, TAGS


@dataclass(frozen=True, slots=True)
class Answers:
    """Both models' answers to a split, with the truth: tag tables `(N, T)`, rating indices `(N,)`, boxes."""

    scores: Floats
    tags: Flags
    ratings: tuple[list[int], list[int]]
    found: list[Found]
    boxes: list[Found]
    milliseconds: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of one split."""

    split: str
    drawings: int
    tag_micro_f1: float
    rating_accuracy: float
    box_map50: float
    box_f1: float
    tag_f1: dict[str, float]
    tag_support: dict[str, int]
    box_ap50: dict[str, float]
    tagger_ms: float
    detector_ms: float


Job = tuple[Path, int, str | None]


@lru_cache(maxsize=1)
def _models(folder: Path) -> tuple[SampleTagger, SampleDetector]:
    return SampleTagger(folder / "sample-tagger"), SampleDetector(folder / "sample-detector")


def _answer(job: Job) -> tuple[Floats, Flags, tuple[int, int], Found, Found, tuple[float, float]]:
    folder, seed, style = job
    tagger, detector = _models(folder)
    drawn = draw(seed, style=style)
    begun = time.perf_counter()
    scores = tagger.scores(drawn.image)
    tagged = time.perf_counter()
    found = detector.find(drawn.image, FLOOR)
    took = ((tagged - begun) * 1e3, (time.perf_counter() - tagged) * 1e3)
    boxes = np.array([b.xyxy for b in drawn.truth.boxes], np.float32).reshape(-1, 4)
    labels = np.array([CLASSES.index(b.label) for b in drawn.truth.boxes], np.int64)
    held = set(drawn.truth.tags)
    ratings = (int(scores[: len(RATINGS)].argmax()), RATINGS.index(drawn.truth.rating))
    truth = Found(boxes, np.ones(len(labels), np.float32), labels)
    return scores[len(RATINGS) :], np.array([tag in held for tag in TAGS]), ratings, found, truth, took


def answers(split: splits.Split, folder: Path = PACKAGED, workers: int = 2) -> Answers:
    """Draw a split and ask both models about every drawing."""
    jobs = [(folder, seed, split.style(seed)) for seed in split.seeds()]
    with Pool(workers) as pool:
        rows = pool.map(_answer, jobs, chunksize=16)
    guesses, truths = [r[2][0] for r in rows], [r[2][1] for r in rows]
    took = np.median([r[5] for r in rows], axis=0)
    return Answers(
        np.stack([r[0] for r in rows]), np.stack([r[1] for r in rows]), (guesses, truths), [r[3] for r in rows],
        [r[4] for r in rows], (float(took[0]), float(took[1])),
    )  # fmt: skip


def thresholds(found: Answers) -> tuple[float, float]:
    """The tag and box thresholds with the best micro-F1 on these answers."""
    grid = [round(0.1 + 0.02 * i, 2) for i in range(41)]
    return best_threshold(found.scores, found.tags)[0], max(grid, key=lambda t: _box_f1(found, t))


def report(name: str, found: Answers, tag_threshold: float, box_threshold: float = BOX_THRESHOLD) -> Report:
    """The figures of a split at given thresholds; classes without a single box are left out of mAP."""
    marked = found.scores >= tag_threshold
    precisions = {label: average_precision(found.found, found.boxes, i) for i, label in enumerate(CLASSES)}
    known = {label: round(value, 4) for label, value in precisions.items() if value is not None}
    support = {tag: int(n) for tag, n in zip(TAGS, found.tags.sum(0), strict=True)}
    guesses, truths = found.ratings
    return Report(
        split=name,
        drawings=len(found.tags),
        tag_micro_f1=round(f1(marked, found.tags), 4),
        rating_accuracy=round(float(np.mean(np.equal(guesses, truths))), 4),
        box_map50=round(float(np.mean(list(known.values()))), 4),
        box_f1=round(_box_f1(found, box_threshold), 4),
        tag_f1={tag: round(f1(marked[:, i], found.tags[:, i]), 4) for i, tag in enumerate(TAGS)},
        tag_support=support,
        box_ap50=known,
        tagger_ms=round(found.milliseconds[0], 2),
        detector_ms=round(found.milliseconds[1], 2),
    )


def _box_f1(found: Answers, threshold: float) -> float:
    kept = [Found(f.boxes[m], f.scores[m], f.labels[m]) for f in found.found for m in (f.scores >= threshold,)]
    right = sum(hits(guess, real) for guess, real in zip(kept, found.boxes, strict=True))
    return 2 * right / max(1, sum(len(k.labels) for k in kept) + sum(len(b.labels) for b in found.boxes))


def run(folder: Path = PACKAGED, *, as_json: bool = False, most: int = 10_000) -> None:
    """Choose thresholds on validation, then print the figures of both held-out splits, `most` drawings of each."""
    parts = [replace(s, size=min(s.size, most)) for s in (splits.VALIDATION, splits.HELD_OUT, splits.UNSEEN_STYLES)]
    chosen = thresholds(answers(parts[0], folder))
    reports = [report(s.name, answers(s, folder), *chosen) for s in parts[1:]]
    if as_json:
        table = {"tag_threshold": chosen[0], "box_threshold": chosen[1], "splits": [asdict(r) for r in reports]}
        sys.stdout.write(json.dumps(table, indent=1) + "\n")
        return
    sys.stdout.write(f"thresholds chosen on validation: tags {chosen[0]:.2f}, boxes {chosen[1]:.2f}\n")
    for one in reports:
        sys.stdout.write(_readable(one))


def _readable(one: Report) -> str:
    weakest = sorted(one.tag_f1, key=lambda tag: one.tag_f1[tag])[:16]
    return (
        f"\n{one.split} ({one.drawings} drawings): tags micro-F1 {one.tag_micro_f1:.4f}, "
        f"rating {one.rating_accuracy:.4f}, mAP50 {one.box_map50:.4f}, box F1 {one.box_f1:.4f}, "
        f"{one.tagger_ms:.1f} + {one.detector_ms:.1f} ms an image\n"
        f"  AP50: {', '.join(f'{label} {value:.3f}' for label, value in one.box_ap50.items())}\n"
        f"  weakest tags: {', '.join(f'{tag} {one.tag_f1[tag]:.2f} (of {one.tag_support[tag]})' for tag in weakest)}\n"
    )
