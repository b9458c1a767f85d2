"""Taggers: the WD family's documented order of preprocessing, floors, broken outputs (R11, R14, R63)."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from schemas.errors import ManifestError, NafudaError
from schemas.models import Label
from schemas.results import ModelOutput
from tests.runners import graphs, manifests
from workers.batching.batch import Batch
from workers.onnx.model import join
from workers.runners import load_runner, open_model
from workers.steps.geometry import Geometry
from workers.steps.program import InputProgram, run_program
from workers.tagging.tagger import sigmoid, softmax


def noise(count: int, size: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def batch_of(pixels: NDArray[np.uint8], count: int | None = None) -> Batch:
    count = len(pixels) if count is None else count
    return Batch(pixels, (Geometry(pixels.shape[2], pixels.shape[1]),) * count)


def prepare(image: Image.Image, program: InputProgram) -> NDArray[np.uint8]:
    return run_program(image, program)[0]


def good(answers: list[ModelOutput | NafudaError]) -> list[ModelOutput]:
    return [answer for answer in answers if isinstance(answer, ModelOutput)]


def wd(folder: Path, **changes: str) -> Path:
    (folder / "selected_tags.csv").write_text(manifests.WD_CSV)
    return graphs.wd_tagger(folder / "model.onnx", 5, **changes)  # type: ignore[arg-type]


WD_LABELS = 'source = "csv"\nfile = "selected_tags.csv"'


@pytest.mark.parametrize("size", [(40, 25), (7, 30), (8, 8), (301, 200)])
def test_wd_pixels_are_padded_resized_and_then_turned_to_bgr(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "labels.json").write_text(json.dumps([str(n) for n in range(192)]))
    graph = graphs.mirror(tmp_path / "model.onnx", size=8)
    manifest, paths = manifests.write(graph, labels='source = "json"\nfile = "labels.json"')
    model = join(manifest, paths, open_model(manifest, paths, ["cpu"]))
    image = Image.fromarray(np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8))

    fed = model.infer(batch_of(prepare(image, model.input_program)[None])).reshape(8, 8, 3)

    # The documented order, said independently: white square, bicubic, BGR, float32 of 0..255.
    side = max(size)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = np.asarray(image)
    small = np.asarray(Image.fromarray(square).resize((8, 8), Image.Resampling.BICUBIC))
    assert np.array_equal(fed, small[:, :, ::-1].astype(np.float32))


def test_a_wd_tagger_gives_the_probabilities_of_its_graph(tmp_path: Path) -> None:
    manifest, paths = manifests.write(wd(tmp_path), labels=WD_LABELS)
    session = open_model(manifest, paths, ["cpu"])
    pixels = noise(3, 16)

    answers = load_runner(manifest, paths, ["cpu"]).forward(batch_of(pixels))

    raw = session.run({"input": pixels[..., ::-1].astype(np.float32)})["output"]
    for answer, row in zip(good(list(answers)), raw, strict=True):
        kept = np.flatnonzero(row >= 0.05)
        assert answer.labels.tolist() == kept.tolist()
        assert np.allclose(answer.scores, row[kept], atol=1e-6)


def test_labels_keep_their_quotes_and_categories(tmp_path: Path) -> None:
    manifest, paths = manifests.write(wd(tmp_path), labels=WD_LABELS)
    labels = load_runner(manifest, paths, ["cpu"]).labels
    assert labels[0] == Label("general", "rating")
    assert labels[3] == Label('don\'t_say_"lazy"', "character")


def test_a_graph_fixed_at_one_image_answers_as_the_free_one_does(tmp_path: Path) -> None:
    answers = []
    for name, batch in (("free", "N"), ("fixed", "1"), ("four", "4")):
        (tmp_path / name).mkdir()
        manifest, paths = manifests.write(wd(tmp_path / name, batch=batch), labels=WD_LABELS)
        answers.append(good(list(load_runner(manifest, paths, ["cpu"]).forward(batch_of(noise(6, 16))))))
    for free, *others in zip(*answers, strict=True):
        for other in others:
            assert free.labels.tolist() == other.labels.tolist()
            assert np.allclose(free.scores, other.scores, atol=1e-6)


@pytest.mark.parametrize("batch", ["N", "1", "4"])
def test_rows_of_padding_get_no_answer(tmp_path: Path, batch: str) -> None:
    give = 'name = "output"\ndecode = "probabilities"\nfloor = 0.0'
    manifest, paths = manifests.write(wd(tmp_path, batch=batch), labels=WD_LABELS, give=give)
    runner = load_runner(manifest, paths, ["cpu"])
    full = good(list(runner.forward(batch_of(noise(4, 16)))))
    padded = good(list(runner.forward(batch_of(noise(4, 16), 3))))
    assert len(padded) == 3
    for one, other in zip(full, padded, strict=False):
        assert len(one.labels) == 5
        assert np.allclose(one.scores, other.scores, atol=1e-6)


def test_one_broken_output_is_the_error_of_that_image_alone(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('["red", "inverse green"]')
    manifest, paths = manifests.write(
        graphs.fussy_tagger(tmp_path / "model.onnx"),
        steps=manifests.PAD,
        take='name = "image"\nlayout = "NHWC"\ndtype = "uint8"',
        give='name = "scores"\ndecode = "probabilities"',
        labels='source = "json"\nfile = "labels.json"',
    )
    pixels = np.full((3, 4, 4, 3), 100, np.uint8)
    pixels[1, 0, 0, 1] = 0
    answers = load_runner(manifest, paths, ["cpu"]).forward(batch_of(pixels))
    assert [type(answer).__name__ for answer in answers] == ["ModelOutput", "PermanentError", "ModelOutput"]
    assert isinstance(answers[1], NafudaError)
    assert answers[1].code == "bad-output"


def test_logits_that_a_manifest_calls_probabilities_are_refused(tmp_path: Path) -> None:
    manifest, paths = manifests.write(wd(tmp_path, end="Identity"), labels=WD_LABELS)
    answers = load_runner(manifest, paths, ["cpu"]).forward(batch_of(noise(1, 16)))
    assert "sigmoid or softmax" in str(answers[0])


@pytest.mark.parametrize(("decode", "end"), [("sigmoid", "Sigmoid"), ("softmax", "Softmax")])
def test_a_decoding_of_logits_equals_the_graphs_own_operator(tmp_path: Path, decode: str, end: str) -> None:
    answers = []
    for name, operator, said in (("raw", "Identity", decode), ("own", end, "probabilities")):
        (tmp_path / name).mkdir()
        give = f'name = "output"\ndecode = "{said}"\nfloor = 0.0'
        manifest, paths = manifests.write(wd(tmp_path / name, end=operator), labels=WD_LABELS, give=give)
        answers.append(good(list(load_runner(manifest, paths, ["cpu"]).forward(batch_of(noise(2, 16))))))
    for ours, graphs_own in zip(*answers, strict=True):
        assert np.allclose(ours.scores, graphs_own.scores, atol=1e-6)


def test_extreme_logits_do_not_overflow() -> None:
    logits = np.array([-1e4, 0.0, 1e4], np.float32)
    assert sigmoid(logits).tolist() == [0.0, 0.5, 1.0]
    assert softmax(logits).tolist() == [0.0, 0.0, 1.0]


def test_a_label_file_of_another_model_is_refused_at_load(tmp_path: Path) -> None:
    graph = graphs.wd_tagger(tmp_path / "model.onnx", 6)
    (tmp_path / "selected_tags.csv").write_text(manifests.WD_CSV)
    manifest, paths = manifests.write(graph, labels=WD_LABELS)
    with pytest.raises(ManifestError, match="5 labels"):
        load_runner(manifest, paths, ["cpu"])
