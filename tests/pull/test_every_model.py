"""Every manifest for a hub: pulled from a repository whose files have the real names, and run (R8, R10)."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infra.models.catalogue import open_catalogue
from schemas.models import SourceKind
from tasks.cli.main import main
from tests.pull import families
from tests.pull.hub import COMMIT, Shelf, serving

BLIP = "Salesforce/blip-image-captioning-base"
# What lies beside the files in many a repository, and is not for us.
OTHERS = ("README.md", "tf_model.h5", "model.safetensors.index.json", "config.yaml")


def blip(folder: Path) -> Path:
    """The names alone, as the repository has them; tests/training runs a BLIP of these files."""
    folder.mkdir(parents=True)
    names = ("config", "preprocessor_config", "special_tokens_map", "tokenizer", "tokenizer_config")
    for name in ("pytorch_model.bin", "vocab.txt", *(f"{each}.json" for each in names)):
        (folder / name).write_bytes(np.random.default_rng(len(name)).bytes(3000))
    return folder


REPOSITORIES: dict[str, Callable[[Path], Path]] = {
    **{f"SmilingWolf/wd-{name}-tagger-v3": families.wd_tagger for name in ("swinv2", "vit", "convnext", "eva02-large")},
    "deepghs/anime_face_detection": lambda place: families.detector(place, "face_detect_v1.4_s", "face"),
    "deepghs/anime_head_detection": lambda place: families.detector(place, "head_detect_v2.0_s", "head"),
    "deepghs/anime_person_detection": lambda place: families.detector(place, "person_detect_v1.1_m", "person"),
    "deepghs/anime_rating": lambda place: families.classifier(
        place, "mobilenetv3_v1_pruned_ls0.1", "safe", "r15", "r18"
    ),
    "deepghs/anime_ai_check": lambda place: families.classifier(place, "mobilenetv3_sce_dist", "ai", "human"),
    "Xenova/clip-vit-base-patch32": families.clip,
    BLIP: blip,
}
OF_A_HUB = [manifest.id for manifest in open_catalogue() if manifest.source.kind is SourceKind.HUB]


def test_every_family_that_is_promised_has_a_manifest() -> None:
    assert set(OF_A_HUB) == set(REPOSITORIES)


@pytest.mark.parametrize("model", OF_A_HUB)
def test_it_is_pulled_by_the_names_that_its_repository_has_and_runs(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = REPOSITORIES[model](tmp_path / "repository")
    wanted = {path.relative_to(repository): path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    for name in OTHERS:
        (repository / name).write_text("not for us")
    models = tmp_path / "data" / "models"
    with serving(Shelf({model: repository})) as shelf:
        for name, value in {"NAFUDA_DATA": str(models.parent), "NAFUDA_HUB_URL": shelf.url}.items():
            monkeypatch.setenv(name, value)
        assert main(["models", "pull", model]) == 0, capsys.readouterr()
    got = {path.relative_to(models / model): path for path in (models / model).rglob("*") if path.is_file()}
    assert {name: path.read_bytes() for name, path in got.items()} == wanted
    installed = open_catalogue(models).install(model)
    assert installed.manifest.source.revision == COMMIT
    assert installed.manifest.source.files == {
        name.as_posix(): hashlib.sha256(content).hexdigest() for name, content in wanted.items()
    }
    if model == BLIP:  # needs torch to run
        return
    assert main(["models", "check", model]) == 0, capsys.readouterr()
    assert "differs from the manifest" not in capsys.readouterr().out
