"""Models in a process: registered in the ledger, loaded, with a batcher each; and the plan that asks for them."""

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from infra.models.catalogue import Catalogue, Installed, open_catalogue
from schemas.errors import ConfigurationError
from schemas.merging import RegisteredModel
from schemas.model_ops import FROM_ANSWERS
from schemas.models import Label, Manifest
from schemas.ratings import UNKNOWN, rating_of, source_of
from tasks.services import Services
from workers.analysis.analysis import AnswerModel, LoadedModel
from workers.batching.batch import Runner
from workers.batching.turns import Turns
from workers.runners import Opening, batcher_for, load_model
from workers.scoring.answers import AnswerRunner
from workers.steps.program import InputProgram

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Active:
    """A model in force: its files, and its runner once it is loaded."""

    installed: Installed
    runner: Runner | AnswerRunner
    revision: str  # with those of the models whose answers it takes
    above: Mapping[str, str]  # these: name → revision

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return self.installed.manifest


def catalogue(services: Services) -> Catalogue:
    """The manifests that are known here."""
    return open_catalogue(services.settings.models_folder)


def load_active(services: Services, stages: Collection[str] | None = None) -> list[Active]:
    """The models of the settings in these stages (None: in all), loaded and dry-run. Errors name model and remedy."""
    known = catalogue(services)
    active = []
    for name in services.settings.models:
        if stages is not None and known.manifest(name).stage not in stages:
            continue
        installed = known.install(name)
        settings = services.settings
        cache = settings.data / "engines"
        runner = load_model(Opening(installed.manifest, installed.paths, settings.providers, settings.threads, cache))
        above = _above(known, installed.manifest, services.settings.models)
        revision = _revision(installed, above)
        log.info("model loaded", extra={"model": name, "revision": revision[:12], "on": runner.providers[0]})
        active.append(Active(installed, runner, revision, above))
    return active


def _above(known: Catalogue, manifest: Manifest, in_force: Sequence[str]) -> dict[str, str]:
    """The models whose answers a model takes, name → revision."""
    above = {}
    for name in (str(manifest.output.params[key]) for key in FROM_ANSWERS.get(manifest.runner, ())):
        if name not in in_force:
            raise ConfigurationError(
                f"model {manifest.id} takes the answers of {name}, which is not in force; add it to NAFUDA_MODELS"
            )
        installed = known.install(name)
        above[name] = _revision(installed, _above(known, installed.manifest, in_force))
    return above


def _revision(installed: Installed, above: Mapping[str, str]) -> str:
    """A model over other models' answers says something new as soon as one of them does."""
    revisions = [installed.revision, *above.values()]
    return hashlib.sha256("".join(revisions).encode()).hexdigest() if above else installed.revision


def register(services: Services, active: list[Active]) -> dict[int, Active]:
    """Make the models known to the ledger; by their ids there."""
    return {services.rules.register(_registered(each)): each for each in active}


def with_batchers(
    registered: Mapping[int, Active], stages: tuple[str, ...], turns: Turns | None = None
) -> dict[int, LoadedModel]:
    """The models of pictures in some stages, each with a started batcher in front; those on the CPU take turns."""
    loaded = {}
    for number, each in registered.items():
        if each.manifest.stage in stages and each.manifest.runner not in FROM_ANSWERS:
            runner = cast(Runner, each.runner)
            batcher = batcher_for(each.manifest, runner, turns=turns)
            loaded[number] = LoadedModel(number, each.manifest.id, each.manifest.stage, runner, batcher)
    return loaded


def answering(registered: Mapping[int, Active], stages: tuple[str, ...]) -> dict[int, AnswerModel]:
    """The models of some stages that take other models' answers."""
    return {
        number: AnswerModel(number, each.manifest.id, each.manifest.stage, cast(AnswerRunner, each.runner), each.above)
        for number, each in registered.items()
        if each.manifest.stage in stages and each.manifest.runner in FROM_ANSWERS
    }


def programs(registered: Mapping[int, Active]) -> tuple[InputProgram, ...]:
    """What ingest prepares while it decodes: each distinct input of the models of this process."""
    pictures = [each.runner for each in registered.values() if each.manifest.runner not in FROM_ANSWERS]
    return tuple({cast(Runner, runner).program: None for runner in pictures})


def _normal(model: str, labels: Sequence[Label]) -> tuple[Label, ...]:
    """Ratings by the system's names (R51), "unknown" for a word that has none there; other labels stay as they are."""
    said = [label.name for label in labels if label.category == "rating"]
    source = source_of(said)
    meant = {word: rating_of(source, word) if source else None for word in said}
    unknown = [word for word, rating in meant.items() if rating is None]
    if unknown:
        told = {"model": model, "words": unknown, "count": len(unknown), "of": len(said)}
        log.warning("a model's words of rating that mean none here: its pictures of these are not rated", extra=told)
    names = {word: UNKNOWN if rating is None else rating.value for word, rating in meant.items()}
    return tuple(Label(names[each.name], "rating") if each.category == "rating" else each for each in labels)


def _registered(each: Active) -> RegisteredModel:
    manifest = each.manifest
    thresholds = {**manifest.thresholds.category, "*": manifest.thresholds.default}
    return RegisteredModel(
        id=0,
        name=manifest.id,
        stage=manifest.stage,
        revision=each.revision,
        sample=manifest.sample,
        labels=_normal(manifest.id, each.runner.labels),
        thresholds=thresholds,
        floor=manifest.output.floor,
    )
