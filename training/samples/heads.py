"""Trains the other sample models on the frozen eye of the shipped tagger: each a lesson of its own with a set time."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as fn

from training.samples import cache, captions, graphs, judge, sampling, splits, words, worn
from training.samples.appeal import appeal
from training.samples.facts import Sieve, facts
from training.samples.learning import Lesson, learn
from training.samples.look import CHANNELS, Look, shipped_eye, write_maps
from training.samples.queries import query
from training.samples.scene import Scene
from training.samples.sentences import LONGEST, Teller
from training.samples.shipped import PACKAGED
from training.samples.splits import Split
from training.samples.twins import TEXT_LENGTH, WIDE, Twins
from training.samples.vocabulary import RATINGS

TIMES = 3
TWINS = "twins.pt"
# Full-size drawings are dear: quality is learned from fewer of them.
WORN = Split("worn", 11_000_000, 2_000)
# Share of a run's minutes that each lesson gets.
SHARES = {"captioner": 0.45, "encoder": 0.35, "rating": 0.03, "quality": 0.13, "brisque": 0.02, "aesthetic": 0.02}


@dataclass
class School:
    """What the lessons share: the frozen eye, the maps of all training drawings, and their scenes."""

    out: Path
    folder: Path
    seed: int

    @cached_property
    def look(self) -> Look:
        """The frozen part."""
        return Look(shipped_eye(PACKAGED / "sample-tagger")).eval()

    @cached_property
    def scenes(self) -> list[Scene]:
        """The scenes of the drawings that are in the cache, in order."""
        seeds = [seed for path, part in cache.parts(splits.TRAIN, self.folder) if path.exists() for seed in part]
        return [sampling.scene(seed, splits.TRAIN.style(seed)) for seed in seeds]

    @cached_property
    def maps(self) -> NDArray[np.float16]:
        """`(TIMES * N, C, H, W)`, on disk."""
        path = self.folder / f"maps-{len(self.scenes)}-{TIMES}.npy"
        if not path.exists():
            examples = cache.load(splits.TRAIN, self.folder)
            crowds = np.array([len(scene.people) > 1 for scene in self.scenes])
            unfinished = path.with_suffix(".tmp.npy")
            write_maps(self.look, examples, crowds, unfinished, TIMES, self.seed)
            unfinished.rename(path)
        kept: NDArray[np.float16] = np.load(path, mmap_mode="r")
        return kept

    def some(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], Tensor]:
        """Scene numbers and maps of a random batch."""
        rows = rng.choice(len(self.scenes), min(count, len(self.scenes)), replace=False)
        places = rows + len(self.scenes) * rng.integers(0, TIMES, len(rows))
        return rows, torch.from_numpy(self.maps[np.sort(places)].astype(np.float32))[np.argsort(np.argsort(places))]


def captioner(school: School, minutes: float) -> None:
    """Teacher forcing: the next word of the caption of each drawing."""
    tokenizer = words.caption_tokenizer()
    ids = np.zeros((len(school.scenes), LONGEST + 1), np.int64)
    for row, scene in enumerate(school.scenes):
        found = [words.BEGIN, *tokenizer.encode(captions.caption(scene)).ids, words.END]
        ids[row, : len(found)] = found
    rng = np.random.default_rng(school.seed)

    def loss(net: Teller, step: int) -> Tensor:
        rows, maps = school.some(rng, 64)
        wanted = torch.from_numpy(ids[rows])
        wanted = wanted[:, : int((wanted != words.PAD).sum(1).max())]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(maps, wanted[:, :-1])
        return fn.cross_entropy(
            logits.float().flatten(0, 1), wanted[:, 1:].flatten(), ignore_index=words.PAD, label_smoothing=0.02
        )

    torch.manual_seed(school.seed)
    net = Teller(tokenizer.get_vocab_size())
    write = lambda net: graphs.captioner(school.look, net, tokenizer, school.out / "sample-captioner")  # noqa: E731
    learn(net, loss, Lesson("captioner", minutes * 60, rate=1.5e-3), write)


def encoder(school: School, minutes: float) -> None:
    """Each text is to find its pictures among those of a batch; it belongs to every picture that satisfies it."""
    tokenizer = words.query_tokenizer(TEXT_LENGTH)
    known = [facts(scene) for scene in school.scenes]
    sieve, said = Sieve(known), np.array([captions.caption(scene) for scene in school.scenes])
    rng, chance = np.random.default_rng(school.seed), random.Random(school.seed)

    def loss(net: Twins, step: int) -> Tensor:
        rows, maps = school.some(rng, 320)
        texts, held = [], []
        for row in np.repeat(rows, 2):
            if chance.random() < 0.2:
                texts.append(str(said[row]))
                held.append(said[rows] == said[row])
            else:
                asked = query(known[row], chance)
                texts.append(asked.text)
                held.append(sieve.satisfied(rows, asked.people, asked.scene))
        ids = torch.tensor([each.ids for each in tokenizer.encode_batch(texts)])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            pictures, told = net.of_maps(maps), net.of_texts(ids)
        logits = net.scale.exp().clamp(max=60) * told.float() @ pictures.float().T
        mine = torch.from_numpy(np.stack(held)).float()
        return -((logits.log_softmax(-1) * mine).sum(-1) / mine.sum(-1)).mean()

    torch.manual_seed(school.seed)
    net = Twins(tokenizer.get_vocab_size())
    if (school.out / TWINS).exists():  # goes on where an earlier run ended
        net.load_state_dict(torch.load(school.out / TWINS, weights_only=True))
    write = lambda net: graphs.encoder(school.look, net, tokenizer, school.out / "sample-encoder")  # noqa: E731
    net = learn(net, loss, Lesson("encoder", minutes * 60, rate=1.2e-3), write)
    torch.save(net.state_dict(), school.out / TWINS)


def rating(school: School, minutes: float) -> None:
    """Cross entropy over the four ratings."""
    truth = torch.from_numpy(cache.load(splits.TRAIN, school.folder).tags[:, : len(RATINGS)].argmax(1).astype(np.int64))
    rng = np.random.default_rng(school.seed)

    def loss(net: graphs.RatingHead, step: int) -> Tensor:
        rows, maps = school.some(rng, 128)
        return fn.cross_entropy(net(maps), truth[rows])

    torch.manual_seed(school.seed)
    write = lambda net: graphs.rating(school.look, net, school.out / "sample-rating")  # noqa: E731
    learn(graphs.RatingHead(CHANNELS), loss, Lesson("rating", minutes * 60), write)


def quality(school: School, minutes: float) -> None:
    """Distributions around what is known of the wear, by earth mover's distance."""
    crops, strength = worn.strengths(WORN, school.folder)
    wanted = judge.target(torch.from_numpy(9.5 - 8.5 * strength))
    rng = np.random.default_rng(school.seed)

    def loss(net: judge.Judge, step: int) -> Tensor:
        rows = rng.integers(0, len(crops), 48)
        pixels = crops[rows]
        pixels = pixels[:, :, ::-1].copy() if step % 2 else pixels
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(torch.from_numpy(pixels))
        return judge.earth_movers(logits.float(), wanted[rows])

    torch.manual_seed(school.seed)
    write = lambda net: graphs.quality(net, school.out / "sample-quality")  # noqa: E731
    learn(judge.Judge(), loss, Lesson("quality", minutes * 60, rate=2e-3), write)


def brisque(school: School, minutes: float) -> None:
    """Support vector regression in its primal form: distance beyond a margin of two points, and a ridge."""
    crops, strength = worn.strengths(WORN, school.folder)
    ask = judge.BrisqueFeatures()
    with torch.inference_mode():
        parts = [ask(torch.from_numpy(crops[start : start + 64])) for start in range(0, len(crops), 64)]
    features, wanted = torch.cat(parts).clone(), torch.from_numpy(100 * strength)
    rng = np.random.default_rng(school.seed)

    def loss(net: judge.Brisque, step: int) -> Tensor:
        rows = torch.from_numpy(rng.integers(0, len(features), 512))
        gap = (net(features[rows]) - wanted[rows]).abs() - 2.0
        return gap.clamp(min=0).mean() + 1e-4 * net.weights.square().sum()

    write = lambda net: graphs.brisque(net, school.out / "sample-brisque")  # noqa: E731
    learn(judge.Brisque(features), loss, Lesson("brisque", minutes * 60, rate=0.3, decay=0.0), write)


def aesthetic(school: School, minutes: float) -> None:
    """A head on the encoder's vectors; `appeal` says what it is taught."""
    tokenizer = words.query_tokenizer(TEXT_LENGTH)
    twins = Twins(tokenizer.get_vocab_size())
    twins.load_state_dict(torch.load(school.out / TWINS, weights_only=True))
    twins.eval()
    vectors = []
    with torch.inference_mode():
        for start in range(0, len(school.scenes), 256):
            maps = torch.from_numpy(school.maps[start : min(start + 256, len(school.scenes))].astype(np.float32))
            vectors.append(twins.of_maps(maps))
    known, wanted = torch.cat(vectors).clone(), torch.tensor([appeal(scene) for scene in school.scenes])
    rng = np.random.default_rng(school.seed)

    def loss(net: Head, step: int) -> Tensor:
        rows = torch.from_numpy(rng.integers(0, len(known), 512))
        return fn.smooth_l1_loss(net(known[rows])[:, 0], wanted[rows])

    torch.manual_seed(school.seed)
    write = lambda net: graphs.aesthetic(net, school.out / "sample-aesthetic")  # noqa: E731
    learn(Head(), loss, Lesson("aesthetic", minutes * 60), write)


class Head(nn.Module):
    """A vector of length 1 to a score 1..10."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(WIDE, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, embedding: Tensor) -> Tensor:
        """`(N, WIDE)` to `(N, 1)`."""
        return (self.layers(embedding) + 5.5).clamp(1, 10)


LESSONS: Mapping[str, Callable[[School, float], None]] = {
    "captioner": captioner,
    "encoder": encoder,
    "rating": rating,
    "quality": quality,
    "brisque": brisque,
    "aesthetic": aesthetic,
}


def main(out: Path, folder: Path, seed: int, minutes: float, lessons: tuple[str, ...]) -> None:
    """Draw what is missing, then give the lessons in their order, one thread each run."""
    out.mkdir(parents=True, exist_ok=True)
    cache.fill(splits.TRAIN, folder)
    torch.set_num_threads(1)
    school = School(out, folder, seed)
    for name in lessons or tuple(LESSONS):
        LESSONS[name](school, minutes * SHARES[name])
