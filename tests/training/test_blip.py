"""BLIP through transformers, on a tiny model with random weights in local files (R8; the extra `caption`)."""

from pathlib import Path

import numpy as np
import pytest

from infra.models.catalogue import open_catalogue
from schemas.errors import ManifestError
from schemas.results import ModelOutput
from tests.training.tiny_blip import MODEL, build, paths
from workers.batching.batch import Batch
from workers.captioning.blip import Blip
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


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ManifestError, match="transformers cannot load"):
        Blip(open_catalogue().manifest(MODEL), paths(tmp_path))
