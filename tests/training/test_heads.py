"""The lessons of the other sample models, in miniature; needs torch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from training.samples import cache, graphs, heads, judge, splits, words, worn
from training.samples.learning import Lesson, learn
from training.samples.look import CHANNELS
from training.samples.sentences import LAYERS, WIDTH, Teller
from training.samples.splits import Split
from training.samples.twins import TEXT_LENGTH, WIDE

pytestmark = pytest.mark.training


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> heads.School:
    """Twelve drawings, and four spoilt ones."""
    few = replace(splits.TRAIN, size=12)
    monkeypatch.setattr(splits, "TRAIN", few)
    monkeypatch.setattr(heads, "WORN", Split("worn", 11_000_000, 4))
    cache.fill(few, tmp_path, workers=1)
    (tmp_path / "out").mkdir()
    return heads.School(tmp_path / "out", tmp_path, 0)


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


PIXELS = np.random.default_rng(0).integers(0, 256, (3, 192, 192, 3), np.uint8)
CLOSE = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), np.uint8)


def test_every_lesson_writes_a_model_that_runs(school: heads.School) -> None:
    for name in heads.LESSONS:
        heads.LESSONS[name](school, 0.02)
    cross = session(school.out / "sample-captioner" / "encoder.onnx").run(None, {"image": PIXELS})[0]
    assert cross.shape == (3, 2 * LAYERS, 144, WIDTH)
    pictures = session(school.out / "sample-encoder" / "image.onnx").run(None, {"image": PIXELS})[0]
    texts = session(school.out / "sample-encoder" / "text.onnx").run(
        None, {"input_ids": np.ones((3, TEXT_LENGTH), int)}
    )[0]
    for vectors in (pictures, texts):
        assert vectors.shape == (3, WIDE) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    bins = session(school.out / "sample-quality" / "model.onnx").run(None, {"image": CLOSE})[0]
    assert np.allclose(bins.sum(1), 1, atol=1e-4)
    score, features = session(school.out / "sample-brisque" / "model.onnx").run(None, {"image": CLOSE})
    assert score.shape == (3, 1) and features.shape == (3, 36) and ((score >= 0) & (score <= 100)).all()
    ratings = session(school.out / "sample-rating" / "model.onnx").run(None, {"image": PIXELS})[0]
    assert np.allclose(ratings.sum(1), 1, atol=1e-4)
    taste = session(school.out / "sample-aesthetic" / "model.onnx").run(None, {"embedding": pictures})[0]
    assert ((taste >= 1) & (taste <= 10)).all()


def test_a_word_at_a_time_gives_what_the_whole_sentence_gives(school: heads.School) -> None:
    tokenizer = words.caption_tokenizer()
    torch.manual_seed(1)
    teller = Teller(tokenizer.get_vocab_size()).eval()
    graphs.captioner(school.look, teller, tokenizer, school.out)
    encoder, decoder = session(school.out / "encoder.onnx"), session(school.out / "decoder.onnx")
    cross = encoder.run(None, {"image": PIXELS})[0]
    ids, past = [1, 9, 20, 33], np.zeros((3, 2 * LAYERS, 0, WIDTH), np.float32)
    for position, word in enumerate(ids):
        feeds = {"input_ids": np.full(3, word), "position": np.array([position]), "cross": cross, "past": past}
        logits, past = decoder.run(None, feeds)
    with torch.inference_mode():
        whole = teller(school.look(torch.from_numpy(PIXELS)), torch.tensor([ids] * 3))[:, -1].numpy()
    np.testing.assert_allclose(logits, whole, atol=5e-3)


def test_learning_lowers_the_loss_and_ships_the_average() -> None:
    written: list[float] = []
    net = nn.Linear(4, 1)
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    wanted = x.sum(1, keepdim=True)
    loss = lambda net, step: (net(x) - wanted).square().mean()  # noqa: E731
    before = float(loss(net, 0))
    final = learn(
        net, loss, Lesson("tiny", 1.0, rate=0.05, write_every=0.3), lambda net: written.append(float(loss(net, 0)))
    )
    assert float(loss(final, 0)) < 0.1 * before and written[-1] <= written[0] and not final.training


def test_targets_of_quality_have_the_mean_that_they_stand_for() -> None:
    quality = torch.tensor([2.0, 5.5, 9.0])
    bins = judge.target(quality)
    means = bins @ torch.arange(1, 11, dtype=torch.float32)
    assert torch.allclose(bins.sum(1), torch.ones(3)) and torch.allclose(means, quality, atol=0.25)
    perfect = (bins + 1e-9).log()
    assert judge.earth_movers(perfect, bins) < judge.earth_movers(perfect.roll(1, 1), bins)


def test_spoilt_drawings_are_kept_and_the_same_every_time(tmp_path: Path) -> None:
    split = Split("some", 11_500_000, 2)
    crops, strengths = worn.strengths(split, tmp_path, workers=1)
    again, same = worn.strengths(split, tmp_path, workers=1)
    assert crops.shape == (2 * worn.VARIANTS, 256, 256, 3) and np.array_equal(crops, again)
    assert np.array_equal(strengths, same) and ((strengths >= 0) & (strengths <= 1)).all()
    assert CHANNELS == 176
