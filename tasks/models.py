"""Models in a process: registered in the ledger, loaded, with a batcher each; and the plan that asks for them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from infra.models.catalogue import Catalogue, Installed, open_catalogue
from schemas.merging import RegisteredModel
from schemas.models import Label, Manifest
from tasks.services import Services
from workers.analysis.analysis import LoadedModel
from workers.batching.batch import Runner
from workers.runners import batcher_for, load_runner

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Active:
    """A model in force: its files, and its runner once it is loaded."""

    installed: Installed
    runner: Runner

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return self.installed.manifest


def catalogue(services: Services) -> Catalogue:
    """The manifests that are known here."""
    return open_catalogue(services.settings.models_dir)


def load_active(services: Services) -> list[Active]:
    """The models of the settings, loaded and dry-run. Errors name the model and the remedy."""
    known = catalogue(services)
    active = []
    for name in services.settings.models:
        installed = known.install(name)
        settings = services.settings
        cache = settings.data / "engines"
        runner = load_runner(installed.manifest, installed.paths, settings.providers, settings.threads, cache)
        log.info("model loaded", extra={"model": name, "revision": installed.revision[:12], "on": runner.providers[0]})
        active.append(Active(installed, runner))
    return active


def register(services: Services, active: list[Active]) -> dict[int, Active]:
    """Make the models known to the ledger; by their ids there."""
    return {services.rules.register(_registered(each.installed, each.runner.labels)): each for each in active}


def with_batchers(registered: Mapping[int, Active], stages: tuple[str, ...]) -> dict[int, LoadedModel]:
    """The models of some stages, each with a started batcher in front."""
    loaded = {}
    for number, each in registered.items():
        if each.manifest.stage in stages:
            batcher = batcher_for(each.manifest, each.runner)
            loaded[number] = LoadedModel(number, each.manifest.id, each.manifest.stage, each.runner, batcher)
    return loaded


def _registered(installed: Installed, labels: tuple[Label, ...]) -> RegisteredModel:
    manifest = installed.manifest
    thresholds = {**manifest.thresholds.category, "*": manifest.thresholds.default}
    return RegisteredModel(
        id=0,
        name=manifest.id,
        stage=manifest.stage,
        revision=installed.revision,
        sample=manifest.sample,
        labels=labels,
        thresholds=thresholds,
        floor=manifest.output.floor,
    )
