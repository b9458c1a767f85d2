"""BLIP through transformers, on a tiny model with random weights in local files (R8; the extra `caption`)."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infra.models.catalogue import open_catalogue
from schemas.errors import ManifestError
from schemas.results import ModelOutput
from tasks.cli.main import main
from tests.pull.hub import Shelf, serving
from tests.training.tiny_blip import MODEL, build, paths
from workers.batching.batch import Batch
from workers.captioning.blip import Blip
from workers.runners import Opening, load_model
from workers.steps.geometry import Geometry

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("blip"))


def batch(count: int) -> Batch:
    pixels = np.random.default_rng(1).integers(0, 256, (count, 384, 384, 3), np.uint8)
    return Batch(pixels, (Geometry(384.0, 384.0),) * count)


def test_blip_says_one_sentence_a_picture_and_always_the_same(folder: Path) -> None:
    runner = Blip(open_catalogue().manifest(MODEL), paths(folder))
    assert [label.name for label in runner.labels] == ["caption"] and runner.program.size == (384, 384)
    first, second = runner.forward(batch(2)), runner.forward(batch(2))
    for one, other in zip(first, second, strict=True):
        assert isinstance(one, ModelOutput) and isinstance(other, ModelOutput)
        assert one.texts == other.texts and one.texts is not None and one.texts[0].endswith(".")
        assert 0 <= one.scores[0] <= 1
    (alone,) = runner.forward(batch(1))
    assert isinstance(alone, ModelOutput) and isinstance(first[0], ModelOutput) and alone.texts == first[0].texts


def test_the_files_that_the_manifest_names_are_pulled_and_are_all_that_it_needs(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the hub beside them (README, TensorFlow's weights) are left there."""
    repo = shutil.copytree(folder, tmp_path / "repo")
    for name in ("README.md", "tf_model.h5"):
        (repo / name).write_text("not for us")
    data = tmp_path / "data"
    with serving(Shelf({MODEL: repo}, licence="bsd-3-clause")) as shelf:
        for name, value in {"DATA": str(data), "HUB_URL": shelf.url}.items():
            monkeypatch.setenv(f"NAFUDA_{name}", value)
        assert main(["models", "pull", MODEL]) == 0
    assert {path.name for path in (data / "models" / MODEL).iterdir()} == set(paths(folder))
    assert main(["models", "check", MODEL]) == 0
    installed = open_catalogue(data / "models").install(MODEL)
    pulled = load_model(Opening(installed.manifest, installed.paths, ["cpu"]))
    assert isinstance(pulled, Blip)
    for one, other in zip(pulled.forward(batch(2)), runner_of(folder).forward(batch(2)), strict=True):
        assert isinstance(one, ModelOutput) and isinstance(other, ModelOutput) and one.texts == other.texts


def runner_of(folder: Path) -> Blip:
    return Blip(open_catalogue().manifest(MODEL), paths(folder))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "config.json", "preprocessor_config.json", "tokenizer.json"])
def test_a_file_that_is_broken_is_said_to_be_why_it_does_not_load(folder: Path, tmp_path: Path, name: str) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / name).write_text("{")
    with pytest.raises(ManifestError, match="transformers cannot load"):
        runner_of(broken)


def test_weights_that_would_run_something_are_refused(folder: Path, tmp_path: Path) -> None:
    import torch

    trap = shutil.copytree(folder, tmp_path / "trap")
    torch.save({"weight": Running(tmp_path / "it ran")}, trap / "pytorch_model.bin")
    with pytest.raises(ManifestError, match="transformers cannot load"):
        runner_of(trap)
    assert not (tmp_path / "it ran").exists()


class Running:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.place),)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ManifestError, match="transformers cannot load"):
        Blip(open_catalogue().manifest(MODEL), paths(tmp_path))
