"""Putting models into force: what they replace, whether they run here, and the plan for what comes in from now on."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.models.catalogue import Catalogue
from infra.models.in_force import write_in_force
from schemas.errors import ConfigurationError
from schemas.model_ops import FROM_ANSWERS
from schemas.models import Manifest, SourceKind
from tasks.prepare import prepare
from tasks.services import Services
from workers.model_check import check_model


@dataclass(frozen=True, slots=True)
class Change:
    """Models in force after a change, what left it with the reason, and what came though nobody named it."""

    models: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    came: tuple[str, ...] = ()


def change(catalogue: Catalogue, in_force: Sequence[str], wanted: Sequence[str], *, keep: bool = False) -> Change:
    """Add models. Unless `keep`, a sample leaves for a model that does the same work (stage, runner, kind of labels).

    What takes the answers of a model that left leaves with it. What takes the answers of models in force, and has no
    files but theirs, comes with the last of them.
    """
    new = [catalogue.manifest(name) for name in wanted]
    left: dict[str, str] = {}
    for name in in_force:
        old = catalogue.manifest(name)
        rival = next((each for each in new if each.id != name and _same_work(old, each)), None)
        if old.sample and rival is not None and not keep:
            left[name] = f"{rival.id} does its work"
    stay = [name for name in in_force if name not in left and name not in wanted]
    for name in list(stay):
        manifest = catalogue.manifest(name)
        gone = [each for each in takes_from(manifest) if each in left]
        if gone:
            stay.remove(name)
            left[name] = f"it takes the answers of {gone[0]}"
    came = _followers(catalogue, (*stay, *wanted), wanted)
    found = Change((*stay, *wanted, *came), tuple(left.items()), came)
    for name in found.models:
        lacking = [each for each in takes_from(catalogue.manifest(name)) if each not in found.models]
        if lacking:
            raise ConfigurationError(f"{name} takes the answers of {lacking[0]}: name it too, nothing was changed")
    return found


def _followers(catalogue: Catalogue, models: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Models without files of their own that one of `wanted` was all they lacked, unless another does their work."""
    there = {(catalogue.manifest(name).runner, takes_from(catalogue.manifest(name))) for name in models}
    return tuple(
        each.id
        for each in catalogue
        if each.source.kind is SourceKind.MODEL
        and set(takes_from(each)) <= set(models)
        and set(takes_from(each)) & set(wanted)
        and (each.runner, takes_from(each)) not in there
    )


def takes_from(manifest: Manifest) -> tuple[str, ...]:
    """Ids of the models whose answers a model takes."""
    return tuple(str(manifest.output.params[key]) for key in FROM_ANSWERS.get(manifest.runner, ()))


def without(catalogue: Catalogue, in_force: Sequence[str], name: str) -> Change:
    """A model leaves, and what takes its answers leaves with it."""
    left = {name: "it is removed"}
    for each in in_force:
        if name in takes_from(catalogue.manifest(each)):
            left[each] = f"it takes the answers of {name}"
    return Change(tuple(each for each in in_force if each not in left), tuple(left.items()))


def _same_work(old: Manifest, new: Manifest) -> bool:
    captioners = {"captioner", "blip"}
    alike = old.runner == new.runner or {old.runner, new.runner} <= captioners
    # A classifier of ratings, or of what machines made, is a tagger in form but does not replace one.
    classifies_alike = old.runner != "tagger" or old.labels.category == new.labels.category
    return old.stage == new.stage and alike and classifies_alike


def put_into_force(services: Services, catalogue: Catalogue, wanted: Change) -> list[str]:
    """Load every new model, write the list down, and make the plan. ConfigurationError for one that does not run here.

    What was analysed before keeps its results and stays complete; backfilling it is asked for separately.
    """
    settings = services.settings
    for name in wanted.models:
        if name not in settings.models:
            installed = catalogue.install(name)
            found = check_model(installed.manifest, installed.paths, settings.providers, settings.threads, runs=1)
            if not found.passed:
                raise ConfigurationError(f"{name} does not run here, nothing was changed: {found.error}")
    done = ["no Nafuda runs on this data folder: the next start takes them into the plan"]
    if settings.database_url:
        changed = Services(settings.model_copy(update={"models": wanted.models}), services.roles)
        try:
            done = prepare(changed)
        finally:
            changed.close()
    write_in_force(settings.data, wanted.models)
    return done
