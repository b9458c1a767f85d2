"""The quantiles of the frozen calibration set (R28): commercial scores of drawings, half of them spoilt.

Nobody trained on these drawings. `python -m benchmarks.calibrate` prints the `[calibration]` table of
`schemas/scoring/default.toml` for the sample models.
"""

import argparse
import random
from collections.abc import Mapping
from typing import cast

import numpy as np
from PIL import Image

from infra.models.catalogue import open_catalogue
from infra.settings import SAMPLES
from schemas.results import ModelOutput
from training.samples import draw
from training.samples.degrade import KINDS, degrade
from workers.batching.batch import Batch, Runner
from workers.merging.scores import commercial
from workers.runners import RUNNERS, Opening, load_model
from workers.scoring.answers import AnswerRunner
from workers.steps.program import run_program

FIRST_SEED = 50_000_000
STEPS = 20
_KINDS = ("nima_technical", "clip_score", "brisque", "aesthetic")


def main() -> None:
    """Draw, ask every model, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=1_000)
    count = arguments.parse_args().count
    catalogue = open_catalogue()
    openings = [Opening((i := catalogue.install(name)).manifest, i.paths, ["cpu"]) for name in SAMPLES]
    models = [(each, load_model(each)) for each in openings if each.manifest.stage != "detection"]
    scores = sorted(_score(_picture(seed), models) for seed in range(FIRST_SEED, FIRST_SEED + count))
    marks = np.quantile(scores, np.linspace(0, 1, STEPS + 1))
    print("[calibration]")
    print(f'name = "{count} sample drawings from seed {FIRST_SEED}, half of them spoilt"')
    print(f"quantiles = [{', '.join(f'{mark:.4f}' for mark in marks)}]")


def _picture(seed: int) -> Image.Image:
    chance, drawn = random.Random(seed), draw(seed)
    if chance.random() < 0.5:
        return drawn.image
    return degrade(drawn, chance.choice(sorted(KINDS)), chance.random()).image


def _score(image: Image.Image, models: list[tuple[Opening, Runner | AnswerRunner]]) -> float:
    answers: dict[str, ModelOutput] = {}
    figures: dict[str, float] = {}
    for opening, runner in sorted(models, key=lambda pair: pair[0].manifest.runner not in RUNNERS):
        if opening.manifest.runner in RUNNERS:
            output = _seen(cast(Runner, runner), image)
        else:
            output = _one(cast(AnswerRunner, runner), answers)
        answers[opening.manifest.id] = output
        if output.figures is not None:
            names = [runner.labels[index].name for index in output.labels]
            figures |= dict(zip(names, map(float, output.figures), strict=True))
    nima, clip, brisque, aesthetic = (figures[kind] for kind in _KINDS)
    found = commercial(nima, clip, brisque, aesthetic)
    assert found is not None
    return found


def _seen(runner: Runner, image: Image.Image) -> ModelOutput:
    pixels, geometry = run_program(image, runner.program)
    (answer,) = runner.forward(Batch(pixels[None], (geometry,)))
    assert isinstance(answer, ModelOutput), answer
    return answer


def _one(runner: AnswerRunner, answers: Mapping[str, ModelOutput]) -> ModelOutput:
    (answer,) = runner.judge([answers])
    assert isinstance(answer, ModelOutput), answer
    return answer


if __name__ == "__main__":
    main()
