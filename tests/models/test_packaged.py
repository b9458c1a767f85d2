"""The models that ship with the package are complete, are what their manifests say, and run."""

import re
from pathlib import Path

import pytest

from infra.models.catalogue import open_catalogue, packaged_folder
from infra.models.files import digest
from schemas.models import SourceKind
from workers.model_check import check_model
from workers.runners import Opening, load_model

PACKAGED = [manifest.id for manifest in open_catalogue() if manifest.source.kind is SourceKind.PACKAGE]


@pytest.mark.parametrize("model", PACKAGED)
def test_a_packaged_model_is_installed_and_passes_its_check(model: str) -> None:
    installed = open_catalogue().install(model)
    found = check_model(installed.manifest, installed.paths, ["cpu"], runs=1)
    assert found.passed, found.error
    assert found.labels > 0


@pytest.mark.parametrize("model", PACKAGED)
def test_thresholds_name_categories_that_the_model_has(model: str) -> None:
    installed = open_catalogue().install(model)
    runner = load_model(Opening(installed.manifest, installed.paths, ["cpu"]))
    assert set(installed.manifest.thresholds.category) <= {label.category for label in runner.labels}


def test_the_cards_name_the_digest_of_every_file_that_ships() -> None:
    """A card of one model names its files alone, the card of the others with their folders."""
    cards = Path(__file__).parents[2] / "docs" / "models"
    told: dict[str, str] = {}
    for card in cards.glob("*sample*.md"):
        folder = "" if card.stem == "other-samples" else f"{card.stem}/"
        rows = re.findall(r"(?m)^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", card.read_text("utf-8"))
        told |= {folder + name: said for name, said in rows}
    shipped = packaged_folder()
    files = (path for path in shipped.glob("*/*") if path.is_file() and path.suffix != ".py")
    assert told == {path.relative_to(shipped).as_posix(): digest(path) for path in files}
