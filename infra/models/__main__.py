"""`python -m infra.models FOLDER`: the digests of a model's files, as a manifest wants them."""

from pathlib import Path

import click

from infra.models.files import digest_lines, with_digests

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--manifest", type=FILE, help="Write the digests into this manifest instead of printing them.")
def digests(folder: Path, manifest: Path | None) -> None:
    """Print the `[source.files]` table for FOLDER, or write its digests into a manifest."""
    if manifest is not None:
        manifest.write_text(with_digests(manifest.read_text(encoding="utf-8"), folder), encoding="utf-8")
        return
    click.echo("[source.files]")
    for line in digest_lines(folder):
        click.echo(line)


if __name__ == "__main__":
    digests()
