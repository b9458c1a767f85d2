"""Commands for operators: status, reconcile, retry, erase, backup, restore, gc, doctor."""

from datetime import timedelta
from pathlib import Path

import click

from infra.settings import Settings
from infra.telemetry.logs import one_line
from schemas.pipeline import STAGES, group_of
from tasks.backup import back_up, restore_into
from tasks.cli.shared import json_option, print_json, services_of, table
from tasks.doctor import examine
from tasks.erase import content_of
from tasks.erase import erase as erase_content
from tasks.gc import collect
from tasks.reconcile import reconcile, reconcile_all


@click.command()
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Work by stage and state, records by status, and how far behind the index is."""
    with services_of(context) as services:
        counts = services.work.counts()
        records = services.records.summary()
        settled, refused, objects = services.records.progress()
        documents = services.index.count()
        waiting = services.backfill.waiting()
    stages: dict[str, dict[str, int]] = {}
    for each in counts:
        stages.setdefault(each.stage, {})[each.state] = each.count
    if as_json:
        known = {"seen": objects, "settled": settled, "refused": refused}
        shown = {"stages": stages, "records": records, "objects": known, "documents": documents, "backfill": waiting}
        print_json(shown)
        return
    click.echo(f"objects: {objects:,} seen, {settled:,} settled, {refused:,} refused")
    click.echo("records: " + (", ".join(f"{count:,} {name}" for name, count in sorted(records.items())) or "none"))
    click.echo(f"search: {documents:,} documents")
    if waiting:
        click.echo("below live work: " + ", ".join(f"{count:,} {stage}" for stage, count in waiting.items()))
    table([(each.stage, each.state, each.count) for each in counts], ("stage", "state", "count"))


@click.command(name="reconcile")
@click.argument("bucket", required=False)
@click.option("--prefix", default="")
@json_option
@click.pass_context
def reconcile_command(context: click.Context, bucket: str | None, prefix: str, as_json: bool) -> None:
    """Find objects whose event was lost and rows whose object is gone."""
    with services_of(context) as services:
        found = reconcile(services, bucket, prefix) if bucket else reconcile_all(services)
    if as_json:
        print_json(found)
    else:
        click.echo(f"{found.unknown} unknown, {found.changed} changed, {found.gone} gone; hints were written for them")


@click.command()
@click.argument("image")
@click.option("--stage", type=click.Choice([stage.name for stage in STAGES]))
@click.pass_context
def retry(context: click.Context, image: str, stage: str | None) -> None:
    """Try failed or quarantined work of an IMAGE again."""
    with services_of(context) as services:
        record = services.records.record(services.records.find(image))
        stages = [stage] if stage else [each.name for each in STAGES]
        made_ready = services.work.retry(stages, [record.image])
        for queue in {group_of(each).name for each in stages}:
            services.wake(queue)
    click.echo(f"{made_ready} pieces of work are ready again")


@click.command()
@click.argument("image")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--lost", multiple=True, metavar="BUCKET", help="It was removed for good, with its copies; repeatable.")
@json_option
@click.pass_context
def erase(context: click.Context, image: str, yes: bool, lost: tuple[str, ...], as_json: bool) -> None:
    """Forget an IMAGE for good: its bytes in every bucket and version, what was made of it and said of it."""
    with services_of(context) as services:
        content = content_of(services, image)
        click.echo(f"image {content.records[0]}, sha256 {content.sha256}, {content.bytes:,} bytes", err=True)
        for bucket, key in (*content.places, *content.beside):
            click.echo(one_line(f"at {bucket}/{key}"), err=True)
        if not yes:
            click.confirm("Erase it in every collection, for good?", abort=True, err=True)
        removed = erase_content(services, content, lost)
    if as_json:
        print_json(removed)
        return
    for place in (*removed.objects, *removed.sidecars):
        click.echo(one_line(f"erased {place}"))
    click.echo(f"{removed.pictures} pictures, {removed.results} results, {len(removed.records)} records are erased")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def backup(context: click.Context, file: Path) -> None:
    """Write everything that cannot be computed again, and everything that can, into FILE (pg_dump's format)."""
    settings: Settings = context.find_root().obj
    size = back_up(settings, file)
    click.echo(f"{file}: {size:,} bytes. The buckets are not in it; they are yours to keep.")


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Replace what the database holds now.")
@click.pass_context
def restore(context: click.Context, file: Path, replace: bool) -> None:
    """Read a backup into an empty database; stop the workers first."""
    settings: Settings = context.find_root().obj
    restore_into(settings, file, replace=replace)
    click.echo("restored; start Nafuda: it reconciles with the buckets by itself")


@click.command()
@click.option("--older", default=7, show_default=True, help="Days that tombstones and names of gone objects are kept.")
@json_option
@click.pass_context
def gc(context: click.Context, older: int, as_json: bool) -> None:
    """Remove what nothing needs any more: pictures of unknown content, old tombstones, names of objects long gone."""
    with services_of(context) as services:
        collected = collect(services, timedelta(days=older))
    if as_json:
        print_json(collected)
    else:
        removed = f"{collected.pictures} pictures, {collected.tombstones} tombstones, {collected.names} names"
        click.echo(f"{removed} removed")


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> int:
    """Check every connection and part; say what is wrong and how to mend it. Exit code 1 when something is."""
    with services_of(context) as services:
        findings = list(examine(services))
    if as_json:
        print_json(findings)
    else:
        for each in findings:
            mark = "ok  " if each.ok else "FAIL"
            click.echo(f"{mark}  {each.name}: {each.detail}" + (f"\n      mend: {each.remedy}" if each.remedy else ""))
    return 0 if all(each.ok for each in findings) else 1


COMMANDS = (status, reconcile_command, retry, erase, backup, restore, gc, doctor)
