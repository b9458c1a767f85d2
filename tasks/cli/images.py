"""Commands about images: ingest, show, search."""

import time
from collections.abc import Iterator
from pathlib import Path

import click

from infra.telemetry.logs import one_line
from schemas.ledger import Outcome
from schemas.search import FACETS, MODERATORS_ONLY, SearchRequest, Viewer, parse
from tasks.cli.shared import json_option, plain, print_json, services_of, table
from tasks.put import Put, put_files
from tasks.services import Services

_BAD = {"refused": 1, "failed": 1, "partial": 1, "pending": 75}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--prefix", default="", help="Put in front of the keys.")
@click.option("--wait", is_flag=True, help="Wait until every file is searchable or settled.")
@click.option("--timeout", default=600.0, show_default=True, help="How long to wait, in seconds.")
@json_option
@click.pass_context
def ingest(
    context: click.Context, paths: tuple[Path, ...], prefix: str, wait: bool, timeout: float, as_json: bool
) -> int:
    """Put files and folders into the bucket; a folder's files keep their paths below it."""
    with services_of(context) as services:
        put = _put(services, paths, prefix, quiet=as_json)
        if not wait:
            click.echo(f"{len(put)} files put into {services.settings.bucket}", err=as_json)
            return 0
        worst = 0
        for path, outcome in _outcomes(services, put, timeout, quiet=as_json):
            worst = max(worst, _BAD.get(outcome.outcome, 0))
            line = {"path": str(path), "image": outcome.record, "outcome": outcome.outcome, "reason": outcome.reason}
            if as_json:
                print_json(line)
            else:
                said = f"{outcome.outcome:9} {outcome.record or '-':>8}  {path}  {outcome.reason}"
                click.echo(one_line(said.rstrip()))
        return worst


def _put(services: Services, paths: tuple[Path, ...], prefix: str, *, quiet: bool) -> list[Put]:
    """Put everything, with a bar on a terminal. A file that cannot be put is told of with the others."""
    put: list[Put] = []
    with click.progressbar(label="putting", length=0, hidden=quiet) as bar:
        for each in put_files(services, paths, prefix):
            put.append(each)
            bar.update(1)
    return put


def _outcomes(services: Services, put: list[Put], timeout: float, *, quiet: bool) -> Iterator[tuple[Path, Outcome]]:
    """(path, outcome) as they settle; what has not settled in time is told as pending."""
    waiting = {}
    for each in put:
        if each.error:
            yield each.path, Outcome(each.bucket, each.key, None, "refused", each.error)
        else:
            waiting[(each.bucket, each.key)] = each.path
    deadline = time.monotonic() + timeout
    with click.progressbar(label="analysing", length=len(waiting), hidden=quiet) as bar:
        while waiting and time.monotonic() < deadline:
            for outcome in services.objects.outcomes(waiting):
                if outcome.outcome != "pending":
                    bar.update(1)
                    yield waiting.pop((outcome.bucket, outcome.key)), outcome
            if waiting:
                time.sleep(0.2)
    for (bucket, key), path in waiting.items():
        yield path, Outcome(bucket, key, None, "pending", f"not settled within {timeout:g} s; see `nafuda status`")


@click.command()
@click.argument("image")
@json_option
@click.pass_context
def show(context: click.Context, image: str, as_json: bool) -> None:
    """Show one IMAGE: an id, a SHA-256 (8 digits or more), a key, or bucket/key."""
    with services_of(context) as services:
        record = services.records.record(services.records.find(image))
        raw = services.results.of_image(record.image)
    if as_json:
        results = [
            {
                "stage": each.stage,
                "model": each.model,
                "revision": each.revision,
                "millis": each.millis,
                "at": each.at,
                "labels": each.labels,
                "scores": each.output.scores,
                "boxes": each.output.boxes,
            }
            for each in raw
        ]
        print_json({**_object(record), "results": results})
        return
    click.echo(f"image {record.id}  {record.status.value}, {record.visibility.value}, revision {record.revision}")
    click.echo(f"{record.width} x {record.height} {record.format}, {record.bytes:,} bytes, sha256 {record.sha256}")
    for place in record.places:
        click.echo(one_line(f"at {place.bucket}/{place.key}"))
    table([(t.name, t.category, "-" if t.confidence is None else f"{t.confidence:.2f}", t.source) for t in record.tags],
          ("tag", "category", "confidence", "source"))  # fmt: skip
    for flag in record.flags:
        click.echo(
            f"flag {flag.policy}: {flag.subject} {flag.score:.2f} >= {flag.threshold:.2f} {flag.verdict}".rstrip()
        )
    for stage in record.stages:
        click.echo(f"{stage.stage}: {stage.state} by {stage.model} {stage.reason}".rstrip())


def _object(value: object) -> dict[str, object]:
    made = plain(value)
    assert isinstance(made, dict)
    return made


@click.command()
@click.argument("query", nargs=-1)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@click.option("--after", default="", help="The `next` of the page before.")
@click.option("--facets/--no-facets", default=True)
@click.option("--all", "everything", is_flag=True, help="Held and removed images too.")
@json_option
@click.pass_context
def search(
    context: click.Context,
    query: tuple[str, ...],
    limit: int,
    after: str,
    facets: bool,
    everything: bool,
    as_json: bool,
) -> int:
    """Search with the language of the page, for example: blonde_hair -smile rating:general."""
    with services_of(context) as services:
        request = SearchRequest(parse(" ".join(query)), Viewer(sees_held=everything), limit, after)
        page = services.index.hits(request)
        names = [name for name in FACETS if everything or name not in MODERATORS_ONLY]
        counted = services.index.facets(request, names, 20) if facets else None
    if as_json:
        shown = {} if counted is None else {f.name: {v.value: v.count for v in f.values} for f in counted.facets}
        print_json(
            {
                "total": page.total,
                "exact": page.exact,
                "hits": page.hits,
                "next": page.next,
                "facets": shown,
                "sampled": None if counted is None else counted.sampled,
            }
        )
        return 0
    click.echo(f"{page.total:,} images{'' if page.exact else ' (estimated)'}")
    table([(h.record, h.collection, f"{h.width}x{h.height}", h.rating or "-", h.status.value) for h in page.hits],
          ("image", "collection", "size", "rating", "status"))  # fmt: skip
    for facet in counted.facets if counted else ():
        if facet.values:
            click.echo(f"{facet.name}: " + ", ".join(f"{value.value} {value.count}" for value in facet.values[:10]))
    return 0


COMMANDS = (ingest, show, search)
