"""Manifest against graph: what does not fit is said at load and by `models check`."""

from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ManifestError
from tests.runners import graphs, manifests
from workers.model_check import check_model
from workers.runners import load_runner, open_model, program_for

LABELS = 'source = "csv"\nfile = "selected_tags.csv"'
INPUT = 'name = "input"\nlayout = "NHWC"\ndtype = "float32"'


def wd(folder: Path) -> Path:
    (folder / "selected_tags.csv").write_text(manifests.WD_CSV)
    return graphs.wd_tagger(folder / "model.onnx", 5)


@pytest.mark.parametrize(
    ("take", "give", "message"),
    [
        (INPUT.replace("input", "image"), "", r"input.name is 'image', the graph takes 'input' float32"),
        (INPUT.replace("float32", "uint8"), "", "input.dtype is uint8, the graph takes float32"),
        (INPUT.replace("NHWC", "NCHW"), "", "input.layout is NCHW"),
        (INPUT + "\nsize = [32, 32]", "", r"input.size is \(32, 32\), the graph takes \(16, 16\)"),
        (INPUT, 'name = "scores"\ndecode = "probabilities"', "output.name is 'scores', the graph gives 'output'"),
    ],
)
def test_a_manifest_that_does_not_fit_its_graph_is_refused(tmp_path: Path, take: str, give: str, message: str) -> None:
    give = give or 'name = "output"\ndecode = "probabilities"'
    manifest, paths = manifests.write(wd(tmp_path), labels=LABELS, take=take, give=give)
    with pytest.raises(ManifestError, match=message):
        load_runner(manifest, paths, ["cpu"])
    assert check_model(manifest, paths, ["cpu"]).mismatches


def test_the_size_comes_from_the_graph_into_steps_that_name_none(tmp_path: Path) -> None:
    manifest, paths = manifests.write(wd(tmp_path), labels=LABELS)
    program = program_for(manifest, open_model(manifest, paths, ["cpu"]))
    assert program.size == (16, 16)
    assert [step.params.get("size") for step in program.steps] == [None, (16, 16)]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ('[[image_steps]]\nop = "squash"', "image_steps: step 'squash' does not exist"),
        ('[[image_steps]]\nop = "resize"\nfilter = "magic"', "image_steps: step 'resize': filter is 'magic'"),
        (manifests.PAD + '[[batch_steps]]\nop = "blur"', "batch_steps: step 'blur' does not exist"),
    ],
)
def test_an_unknown_step_is_refused_at_load(tmp_path: Path, steps: str, message: str) -> None:
    manifest, paths = manifests.write(wd(tmp_path), labels=LABELS, steps=steps)
    with pytest.raises(ManifestError, match=message):
        load_runner(manifest, paths, ["cpu"])


def test_a_graph_with_a_free_size_needs_one_in_the_manifest(tmp_path: Path) -> None:
    text = """
    free (float[N, H, W, 3] input) => (float[N, 3] output) {
        small = ReduceMean <axes = [1, 2], keepdims = 0> (input)
        output = Sigmoid (small)
    }"""
    (tmp_path / "labels.json").write_text('["a", "b", "c"]')
    graph = graphs.save(text, tmp_path / "model.onnx")
    labels = 'source = "json"\nfile = "labels.json"'
    manifest, paths = manifests.write(graph, labels=labels)
    with pytest.raises(ManifestError, match=r"set input.size = \[height, width\]"):
        load_runner(manifest, paths, ["cpu"])
    manifest, paths = manifests.write(graph, labels=labels, take=INPUT + "\nsize = [24, 16]")
    assert load_runner(manifest, paths, ["cpu"]).program.size == (24, 16)


def test_a_check_says_what_the_graph_wants_and_how_fast_it_is(tmp_path: Path) -> None:
    manifest, paths = manifests.write(wd(tmp_path), labels=LABELS, batch="max = 8\npreferred = [4]")
    found = check_model(manifest, paths, ["cpu"], runs=1)
    assert found.passed
    assert found.labels == 5
    assert found.inputs[0].shape == (None, 16, 16, 3)
    assert [timing.batch for timing in found.timings] == [1, 4]
    assert all(timing.millis > 0 for timing in found.timings)


def test_a_check_of_a_broken_file_is_a_row_and_not_an_exception(tmp_path: Path) -> None:
    manifest, paths = manifests.write(wd(tmp_path), labels=LABELS)
    paths["model.onnx"].write_bytes(b"no graph")
    found = check_model(manifest, paths, ["cpu"])
    assert not found.passed
    assert "cannot load" in found.error


def test_an_output_that_does_not_count_images_is_refused(tmp_path: Path) -> None:
    text = """
    sum (float[N, 4, 4, 3] input) => (float[1, 3] output) {
        all = ReduceMean <axes = [0, 1, 2], keepdims = 0> (input)
        output = Unsqueeze (all, axis)
    }"""
    (tmp_path / "labels.json").write_text('["a", "b", "c"]')
    graph = graphs.save(text, tmp_path / "model.onnx", {"axis": np.array([0])})
    manifest, paths = manifests.write(graph, labels='source = "json"\nfile = "labels.json"')
    with pytest.raises(ManifestError, match="the first dimension must count images"):
        load_runner(manifest, paths, ["cpu"])
