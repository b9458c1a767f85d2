"""Scorers of pictures and of answers, embedders and their texts (R22–R25, R65)."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.models.catalogue import open_catalogue
from schemas.errors import ManifestError, NafudaError
from schemas.results import ModelOutput
from tests.runners import graphs, manifests
from training.samples import draw
from workers.batching.batch import Batch
from workers.embedding.embedder import Embedder, unit
from workers.runners import Opening, load_model, load_runner, load_text_encoder
from workers.scoring.answers import ClipScore, VectorScorer, clip_score
from workers.scoring.scorer import mean_and_deviation
from workers.steps.geometry import Geometry
from workers.steps.program import run_program

ENCODER, CAPTIONER = "nafuda/sample-encoder", "nafuda/sample-captioner"


def opening(name: str) -> Opening:
    installed = open_catalogue().install(f"nafuda/sample-{name}")
    return Opening(installed.manifest, installed.paths, ["cpu"])


def bins(folder: Path, table: list[float], **more: str) -> tuple[object, dict[str, Path]]:
    """A scorer whose ten bins are the same for every picture."""
    (folder / "labels.json").write_text(json.dumps(more.pop("labels", ["nima_technical", "nima_technical_deviation"])))
    text = f"""
    bins (uint8[N, 4, 4, 3] image) => (float[N, {len(table)}] bins) {{
        numbers = Cast <to = 1> (image)
        mean = ReduceMean <axes = [1, 2, 3], keepdims = 0> (numbers)
        nothing = Mul (mean, zero)
        each = Unsqueeze (nothing, axes)
        bins = Add (each, table)
    }}"""
    weights = {"zero": np.array(0, np.float32), "axes": np.array([1]), "table": np.array([table], np.float32)}
    return manifests.write(
        graphs.save(text, folder / "model.onnx", weights), runner="scorer", steps=manifests.PAD,
        take='name = "image"\nlayout = "NHWC"\ndtype = "uint8"',
        give=f'name = "bins"\ndecode = "{more.get("decode", "distribution")}"',
        labels='source = "json"\nfile = "labels.json"\ncategory = "score"',
    )  # fmt: skip


def ask(manifest: object, paths: dict[str, Path]) -> object:
    runner = load_runner(manifest, paths, ["cpu"])  # type: ignore[arg-type]
    return runner.forward(Batch(np.full((2, 4, 4, 3), 9, np.uint8), (Geometry(4.0, 4.0),) * 2))[0]


def test_the_mean_and_deviation_of_ten_bins(tmp_path: Path) -> None:
    """R23: bins count from 1."""
    table = [0, 0, 0, 0, 0.5, 0, 0.5, 0, 0, 0]
    found = ask(*bins(tmp_path, [float(v) for v in table]))
    assert isinstance(found, ModelOutput) and found.figures is not None
    assert found.figures.tolist() == [6.0, 1.0] and found.scores.tolist() == [1.0, 1.0]
    assert mean_and_deviation(np.array([1, 0], np.float32)).tolist() == [1.0, 0.0]


def test_bins_that_are_no_shares_are_that_pictures_error(tmp_path: Path) -> None:
    found = ask(*bins(tmp_path, [3.0, -1.0]))
    assert isinstance(found, NafudaError) and found.code == "bad-output"


def test_a_figure_is_kept_inside_its_range(tmp_path: Path) -> None:
    found = ask(*bins(tmp_path, [123.0], labels=["brisque"], decode="figure"))  # type: ignore[arg-type]
    assert isinstance(found, ModelOutput) and found.figures is not None and found.figures.tolist() == [100.0]


@pytest.mark.parametrize(
    ("table", "labels", "message"),
    [([0.5, 0.5], ["nima_technical"], "2 labels"), ([1.0], ["nima_technical", "brisque"], "two bins"),
     ([0.5, 0.5], ["nima_technical", "beauty"], "beauty")],
)  # fmt: skip
def test_a_scorer_that_does_not_fit_is_refused(
    tmp_path: Path, table: list[float], labels: list[str], message: str
) -> None:
    manifest, paths = bins(tmp_path, table, labels=labels)  # type: ignore[arg-type]
    with pytest.raises(ManifestError, match=message):
        load_runner(manifest, paths, ["cpu"])  # type: ignore[arg-type]


def prepared(runner: Embedder, *seeds: int) -> Batch:
    pixels = np.stack([run_program(draw(seed).image, runner.program)[0] for seed in seeds])
    return Batch(pixels, (Geometry(192.0, 192.0),) * len(seeds))


def test_vectors_have_length_one_and_do_not_depend_on_neighbours() -> None:
    runner = load_model(opening("encoder"))
    assert isinstance(runner, Embedder) and runner.width <= 512
    answers = runner.forward(prepared(runner, 1, 2, 3))
    together = [answer.vector for answer in answers if isinstance(answer, ModelOutput)]
    for seed, vector in zip((1, 2, 3), together, strict=True):
        assert vector is not None and vector.shape == (runner.width,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        (alone,) = runner.forward(prepared(runner, seed))
        assert isinstance(alone, ModelOutput) and alone.vector is not None
        assert float(alone.vector @ vector) == pytest.approx(1, abs=1e-4)


def test_a_vector_of_length_zero_is_an_error() -> None:
    with pytest.raises(NafudaError, match="length 0"):
        unit(np.zeros((2, 3), np.float32))


def test_texts_and_pictures_share_a_space() -> None:
    encode, runner = load_text_encoder(opening("encoder")), load_model(opening("encoder"))
    assert isinstance(runner, Embedder) and encode.width == runner.width
    pair = encode(["girl with blonde hair", "girl with blonde hair", "a red car at night"])
    assert np.allclose(np.linalg.norm(pair, axis=1), 1, atol=1e-5)
    assert np.allclose(pair[0], pair[1]) and float(pair[0] @ pair[2]) < 0.9
    assert np.isfinite(encode(["", "x" * 5000, "\0", "漢字 only"])).all()


def test_a_model_without_texts_says_so() -> None:
    with pytest.raises(ManifestError, match="no text graph"):
        load_text_encoder(opening("quality"))


def said(text: str | None, vector: NDArray[np.float32] | None) -> Mapping[str, ModelOutput]:
    known = {}
    if text is not None:
        known[CAPTIONER] = ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), texts=(text,))
    if vector is not None:
        known[ENCODER] = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=vector)
    return known


def _figure(answer: ModelOutput | NafudaError) -> float | str:
    if isinstance(answer, NafudaError):
        return answer.code
    assert answer.figures is not None
    return float(answer.figures[0])


def test_clip_score_compares_the_picture_with_its_caption() -> None:
    """R24: 2.5 · max(cos, 0); what lacks a caption or a vector has none."""
    assert [clip_score(c) for c in (0.4, 0.0, -0.9)] == [1.0, 0.0, 0.0]
    judge, encode = load_model(opening("clip-score")), load_text_encoder(opening("encoder"))
    assert isinstance(judge, ClipScore) and judge.wants == (ENCODER, CAPTIONER)
    text = "A girl with blonde hair, at the beach."
    vector = encode([text])[0]
    images = [(text, vector), (None, vector), (text, None), (text, -vector), (text, vector[:9])]
    figures = [_figure(answer) for answer in judge.judge([said(*image) for image in images])]
    assert figures == [pytest.approx(2.5, abs=1e-3), "nothing-to-score", "nothing-to-score", 0.0, "nothing-to-score"]


def test_a_head_on_vectors_scores_each_for_itself() -> None:
    judge = load_model(opening("aesthetic"))
    assert isinstance(judge, VectorScorer)
    random = np.random.default_rng(1).normal(size=(3, 256)).astype(np.float32)
    vectors = unit(random)
    together = judge.judge([said(None, vectors[0]), said(None, None), said(None, vectors[2])])
    assert isinstance(together[1], NafudaError)
    for place in (0, 2):
        one, alone = together[place], judge.judge([said(None, vectors[place])])[0]
        assert isinstance(one, ModelOutput) and isinstance(alone, ModelOutput)
        assert one.figures is not None and alone.figures is not None
        assert one.figures[0] == pytest.approx(alone.figures[0], abs=1e-4) and 1 <= one.figures[0] <= 10
