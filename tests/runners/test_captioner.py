"""The captioner: greedy, the same for a batch as one by one, each broken picture fails alone (R8, R42)."""

from pathlib import Path

import numpy as np
import pytest

from infra.models.catalogue import open_catalogue
from schemas.errors import ManifestError, NafudaError
from schemas.results import ModelOutput
from training.samples import draw
from workers.batching.batch import Batch, Runner
from workers.captioning.captioner import Captioner
from workers.onnx.dry_run import black
from workers.onnx.model import join
from workers.runners import Opening, load_runner, open_model
from workers.steps.geometry import Geometry
from workers.steps.program import run_program


def batch_of(runner: Runner, *seeds: int) -> Batch:
    pixels = np.stack([run_program(draw(seed).image, runner.program)[0] for seed in seeds])
    return Batch(pixels, (Geometry(192.0, 192.0),) * len(seeds))


@pytest.fixture(scope="module")
def captioner() -> Runner:
    installed = open_catalogue().install("nafuda/sample-captioner")
    return load_runner(installed.manifest, installed.paths, ["cpu"])


def texts(answers: object) -> list[str]:
    found = []
    for answer in answers:  # type: ignore[attr-defined]
        assert isinstance(answer, ModelOutput) and answer.texts is not None
        found.append(answer.texts[0])
    return found


def test_a_caption_is_a_sentence_with_a_share_of_sureness(captioner: Runner) -> None:
    for answer in captioner.forward(batch_of(captioner, 1, 2, 3)):
        assert isinstance(answer, ModelOutput) and answer.texts is not None
        (text,) = answer.texts
        assert text[0].isupper() and text.endswith(".") and " ," not in text and "[" not in text
        assert 0 < answer.scores[0] <= 1


def test_the_same_picture_is_always_described_in_the_same_words(captioner: Runner) -> None:
    """R8: whatever shares its batch."""
    together = texts(captioner.forward(batch_of(captioner, *range(6))))
    alone = [texts(captioner.forward(batch_of(captioner, seed)))[0] for seed in range(6)]
    assert together == alone == texts(captioner.forward(batch_of(captioner, *range(6))))
    assert len({len(text) for text in together}) > 1  # some ended before others


def test_padding_is_never_described(captioner: Runner) -> None:
    batch = batch_of(captioner, 4, 5)
    padded = Batch(np.concatenate([batch.pixels, batch.pixels]), batch.geometries)
    assert texts(captioner.forward(padded)) == texts(captioner.forward(batch))


class Broken:
    """The encoder's session, whose first answer of a batch of two is not a number."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self._inner.run(feeds)  # type: ignore[attr-defined]
        if len(feeds["image"]) == 2 and feeds["image"].any():
            found["cross"] = found["cross"].copy()
            found["cross"][0, 0, 0, 0] = np.nan
        return found  # type: ignore[no-any-return]


def test_a_picture_without_numbers_fails_alone() -> None:
    installed = open_catalogue().install("nafuda/sample-captioner")
    opening = Opening(installed.manifest, installed.paths, ["cpu"])
    session = open_model(installed.manifest, installed.paths, ["cpu"])
    model = join(installed.manifest, installed.paths, Broken(session))  # type: ignore[arg-type]
    runner = Captioner(model, opening.session("decoder.onnx"), installed.paths)
    broken, good = runner.forward(batch_of(runner, 1, 2))
    assert isinstance(broken, NafudaError) and broken.code == "bad-output"
    assert texts([good]) == texts(runner.forward(batch_of(runner, 2)))


def test_a_decoder_of_another_kind_is_refused_at_load() -> None:
    installed = open_catalogue().install("nafuda/sample-captioner")
    opening = Opening(installed.manifest, installed.paths, ["cpu"])
    model = join(installed.manifest, installed.paths, opening.session())
    with pytest.raises(ManifestError, match=r"takes no .*past"):
        Captioner(model, opening.session("encoder.onnx"), installed.paths)


def test_a_tokenizer_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    installed = open_catalogue().install("nafuda/sample-captioner")
    (tmp_path / "tokenizer.json").write_text("{}")
    opening = Opening(installed.manifest, {**installed.paths, "tokenizer.json": tmp_path / "tokenizer.json"}, ["cpu"])
    model = join(installed.manifest, installed.paths, opening.session())
    with pytest.raises(ManifestError, match=r"sample-captioner: tokenizer\.json"):
        Captioner(model, opening.session("decoder.onnx"), opening.paths)


def test_a_black_picture_gets_an_answer_too(captioner: Runner) -> None:
    assert len(captioner.forward(black(captioner.program.size, 3))) == 3
