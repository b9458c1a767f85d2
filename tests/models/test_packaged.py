"""The models that ship with the package are complete, are what their manifests say, and run."""

import pytest

from infra.models.catalogue import open_catalogue
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
