"""Training itself, in miniature; needs torch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from training.samples import cache, export, losses, splits, train
from training.samples.nets import Eye, grid

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> cache.Examples:
    """A few training drawings."""
    split, folder = replace(splits.TRAIN, size=8), tmp_path_factory.mktemp("cache")
    cache.fill(split, folder, workers=1)
    return cache.load(split, folder)


def test_some_steps_decrease_the_loss_of_both_heads(few: cache.Examples) -> None:
    course = train.Course(train.Plan(seconds=60, batch=8, small=1.0))
    seen = [course.step(few, 0.1, 255) for _ in range(12)]
    assert np.mean(seen[-3:]) < 0.9 * np.mean(seen[:3])


def test_a_perfect_box_costs_less_than_a_shifted_one() -> None:
    truth = torch.tensor([[[0.0, 8, 8, 72, 72], [-1, -1, -1, -1, -1]]])
    cells = len(grid(128))
    boxes = torch.tensor([8.0, 8, 72, 72]).expand(1, cells, 4)
    logits = torch.zeros(1, cells, 12)
    assert losses.box_loss(boxes, logits, truth, 128) < losses.box_loss(boxes + 16, logits, truth, 128)


def test_the_rate_rises_then_falls_to_almost_nothing() -> None:
    plan = train.Plan(seconds=60)
    rates = [plan.rate_at(share) for share in (0.0, plan.warm, 0.5, 1.0)]
    assert rates[0] < rates[2] < rates[1] == plan.rate and rates[3] < 0.01 * plan.rate


@pytest.mark.parametrize("name", ["tagger", "detector"])
def test_an_export_answers_like_the_network(tmp_path: Path, name: str) -> None:
    torch.manual_seed(1)
    eye = Eye().eval()
    graph = export.TaggerGraph(eye) if name == "tagger" else export.DetectorGraph(eye)
    path = export.tagger(eye, tmp_path) if name == "tagger" else export.detector(eye, tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 192, 192, 3), dtype=np.uint8)
    with torch.no_grad():
        wanted = graph(torch.from_numpy(pixels)).numpy()
    answer = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"image": pixels})[0]
    np.testing.assert_allclose(answer, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
