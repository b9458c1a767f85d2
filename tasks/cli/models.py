"""Commands about models: list, check, pull, use, remove."""

import os
from pathlib import Path

import click

from infra.models.catalogue import manifest_text, open_catalogue
from infra.models.hub import Hub
from infra.models.in_force import write_in_force
from infra.models.pull import pull as pull_model
from infra.models.pull import pull_from
from infra.models.turn import turn
from infra.settings import Settings
from schemas.errors import ConfigurationError, NafudaError
from schemas.pipeline import MERGE
from tasks.cli.shared import json_option, print_json, services_of, table
from tasks.use import change, put_into_force, without
from workers.model_check import ModelCheck, check_model

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def models() -> None:
    """What models there are, whether they run here, and taking one's results back."""


@models.command(name="list")
@json_option
@click.pass_context
def list_models(context: click.Context, as_json: bool) -> None:
    """Manifests that are known here."""
    settings: Settings = context.find_root().obj
    rows = open_catalogue(settings.models_folder).listing()
    if as_json:
        print_json(rows)
        return
    shown = [
        (each.id, each.stage, each.revision[:12] or "-", each.licence, _state(each.id, each.installed, settings))
        for each in rows
    ]
    table(shown, ("model", "stage", "revision", "licence", "state"))


def _state(model: str, installed: bool, settings: Settings) -> str:
    if model in settings.models:
        return "in force" if installed else "in force, but MISSING"
    return "installed" if installed else "not installed"


@models.command()
@click.argument("names", nargs=-1)
@json_option
@click.pass_context
def check(context: click.Context, names: tuple[str, ...], as_json: bool) -> int:
    """Load models (all in force by default), dry-run them, and say what their graphs really want."""
    settings: Settings = context.find_root().obj
    catalogue = open_catalogue(settings.models_folder)
    checks = []
    for name in names or settings.models:
        try:
            installed = catalogue.install(name)
        except NafudaError as error:
            checks.append(ModelCheck(name, str(error)))
            continue
        checks.append(check_model(installed.manifest, installed.paths, settings.providers, settings.threads))
    if as_json:
        print_json(checks)
    else:
        for each in checks:
            _tell(each)
    return 0 if all(each.passed for each in checks) else 1


def _tell(each: ModelCheck) -> None:
    click.echo(f"{each.id}: {'runs' if each.passed else 'FAILS: ' + each.error}")
    for kind, tensors in (("wants", each.inputs), ("gives", each.outputs)):
        for tensor in tensors:
            click.echo(f"  {kind} {tensor.name} {tensor.dtype} {list(tensor.shape)}")
    for line in each.mismatches:
        click.echo(f"  differs from the manifest: {line}")
    if each.passed:
        times = ", ".join(f"{timing.millis:.1f} ms at batch {timing.batch}" for timing in each.timings)
        click.echo(f"  {each.labels} labels, on {', '.join(each.providers)}: {times} an image")


@models.command()
@click.argument("name")
@click.confirmation_option(prompt="Remove everything that this model said, and ask it no more?")
@click.pass_context
def remove(context: click.Context, name: str) -> None:
    """Take back the results of one model and of those that take its answers; the records are merged again."""
    with services_of(context) as services:
        settings = services.settings
        wanted = without(open_catalogue(settings.models_folder), settings.models, name)
        for each, reason in wanted.left:
            removed = services.results.remove_model(each)
            click.echo(f"{removed} results of {each} were removed: {reason}")
        if name in settings.models and not os.environ.get("NAFUDA_MODELS"):
            write_in_force(settings.data, wanted.models)
        services.wake(MERGE)


@models.command()
@click.argument("name")
@click.option("--revision", default="", metavar="COMMIT", help="Which commit to pin, of 40 digits; else the newest.")
@click.option(
    "--from", "origin", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder to copy from."
)
@click.pass_context
def pull(context: click.Context, name: str, revision: str, origin: Path | None) -> None:
    """Get a model's files, checked one by one, and pin its manifest in the models folder."""
    settings: Settings = context.find_root().obj
    open_catalogue(settings.models_folder).manifest(name)  # unknown: nothing is made for it
    folder = settings.models_dir or settings.data / "models"
    with turn(folder, name, click.echo):
        manifest, text = open_catalogue(folder).manifest(name), manifest_text(name, folder)
        if origin is not None:
            pulled = pull_from(manifest, text, folder, origin, click.echo, revision)
        else:
            pulled = pull_model(manifest, text, folder, Hub(settings.hub_url.rstrip("/")), click.echo, revision)
    click.echo(f"{name} is pinned to {pulled.commit} in {pulled.manifest}; licence: {pulled.licence}")
    click.echo(f"check it with `nafuda models check {name}`, put it into force with `nafuda models use {name}`")


@models.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--keep", is_flag=True, help="Keep the sample models that do the same work.")
@click.pass_context
def use(context: click.Context, names: tuple[str, ...], keep: bool) -> None:
    """Put models into force for what comes in from now on; results that are there stay."""
    if os.environ.get("NAFUDA_MODELS"):
        raise ConfigurationError("NAFUDA_MODELS is set, and says which models are in force: change it there")
    with services_of(context) as services:
        catalogue = open_catalogue(services.settings.models_folder)
        wanted = change(catalogue, services.settings.models, names, keep=keep)
        done = put_into_force(services, catalogue, wanted)
    for name, reason in wanted.left:
        click.echo(f"{name} leaves: {reason}")
    for name in wanted.came:
        click.echo(f"{name} comes with them: all that it takes is there now")
    for line in done:
        click.echo(line)
    click.echo(f"in force: {', '.join(wanted.models)}; restart the workers (or `nafuda run`) to load them")


COMMANDS = (models,)
