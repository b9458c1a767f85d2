"""Getting models from a hub or from a folder: one pinned commit, checked file by file, a manifest at the end."""

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from infra.models.files import digest
from infra.models.hub import COMMIT, Hub, Offer
from schemas.errors import ConfigurationError
from schemas.models import UNKNOWN, UNPINNED, Manifest, Source, SourceKind

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model whose files lie in the models folder under a pinned manifest."""

    manifest: Path
    commit: str
    licence: str
    bytes: int


def pull(manifest: Manifest, text: str, folder: Path, hub: Hub, say: Say, commit: str = "") -> Pulled:
    """Download what a model lacks and write its pinned manifest, last: what is half there counts for nothing.

    text: the manifest's TOML. commit: which one to pin, when the manifest does not say; else the hub's newest.
    Callers hold the model's `turn`. ConfigurationError for a file that is not the pinned or stated one, and for a
    model that is not on a hub.
    """
    source = _hub_source(manifest)
    pinned = source.revision if source.has_commit else commit
    if commit and source.has_commit and commit != source.revision:
        raise ConfigurationError(f"{manifest.id} is pinned to {source.revision}; remove its manifest first")
    wanted = [path for path, said in source.files.items() if not _is_there(folder / manifest.id / path, said)]
    if source.has_commit and not wanted:
        say(f"{source.name} at {pinned}: nothing is missing")
        return _keep(manifest, text, folder, {}, Offer(pinned, manifest.licence, {}, {}))
    offer = hub.offer(source.name, pinned)
    missing = sorted(set(wanted) - offer.sizes.keys())
    if missing:
        raise ConfigurationError(f"{hub.url}/{source.name} at {offer.commit} lacks {', '.join(missing)}")
    total = sum(offer.sizes[path] for path in wanted)
    terms = offer.licence or "not stated"
    say(f"{source.name} at {offer.commit}: {len(wanted)} files, {total / 2**20:.1f} MiB, licence {terms}")
    partial = folder / ".partial" / manifest.id / offer.commit  # what is there of another commit is not gone on with
    got = {path: hub.fetch(source.name, offer, path, partial) for path in wanted}
    return _keep(manifest, text, folder, got, replace(offer, licence=offer.licence or manifest.licence))


def pull_from(manifest: Manifest, text: str, folder: Path, origin: Path, say: Say, commit: str = "") -> Pulled:
    """All files from a folder that somebody brought, laid out like the repository, or with it as OWNER/NAME inside.

    A manifest that is not pinned needs the commit: nobody can be asked.
    """
    source = _hub_source(manifest)
    pinned = source.revision if source.has_commit else commit
    if commit and commit != pinned:
        raise ConfigurationError(f"{manifest.id} is pinned to {source.revision}; remove its manifest first")
    if not COMMIT.fullmatch(pinned) or pinned == UNPINNED:
        raise ConfigurationError(f"{manifest.id} is not pinned yet: say which commit the files are of with --revision")
    places = (origin, origin / manifest.id, origin / source.name)
    got = {}
    partial = folder / ".partial" / manifest.id
    for path in source.files:
        found = next((place / path for place in places if (place / path).is_file()), None)
        if found is None:
            raise ConfigurationError(f"{origin} has no {path}; looked in {', '.join(map(str, places))}")
        copy = partial / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, copy)
        got[path] = copy
    total = sum(path.stat().st_size for path in got.values())
    say(f"{manifest.id}: {len(got)} files, {total / 2**20:.1f} MiB from {origin}")
    return _keep(manifest, text, folder, got, Offer(pinned, manifest.licence, {}, {}))


def _is_there(place: Path, wanted: str) -> bool:
    return place.is_file() and digest(place) == wanted


def _hub_source(manifest: Manifest) -> Source:
    if manifest.source.kind is SourceKind.MODEL:
        raise ConfigurationError(f"{manifest.id} has no files of its own: pull {manifest.source.name}")
    if manifest.source.kind is not SourceKind.HUB:
        raise ConfigurationError(f"{manifest.id} does not come from a hub: it is installed with the package")
    return manifest.source


def _keep(manifest: Manifest, text: str, folder: Path, got: Mapping[str, Path], offer: Offer) -> Pulled:
    digests = {}
    for path, file in got.items():
        digests[path] = digest(file)
        wanted = manifest.source.files[path] if manifest.source.files[path] != UNKNOWN else offer.digests.get(path, "")
        if wanted and digests[path] != wanted:
            file.unlink()
            raise ConfigurationError(
                f"{manifest.id}: {path} has SHA-256 {digests[path]}, expected {wanted}; pull it again"
            )
    size = 0
    for path, file in got.items():
        size += file.stat().st_size
        place = folder / manifest.id / path
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    shutil.rmtree(folder / ".partial" / manifest.id, ignore_errors=True)
    written = folder / f"{manifest.id.replace('/', '--')}.toml"
    _write(written, pinned_text(text, offer, digests))
    return Pulled(written, offer.commit, offer.licence, size)


def pinned_text(text: str, offer: Offer, digests: Mapping[str, str]) -> str:
    """A manifest's TOML with the commit, the digests and the licence that the hub states put in."""
    text = re.sub(r'^revision = "[0-9a-f]{40}"', f'revision = "{offer.commit}"', text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^# Not pinned yet:.*\n", "", text, flags=re.MULTILINE)
    if offer.licence:
        line = f"licence = {json.dumps(offer.licence)}"
        text = re.sub(r"^licence = .*$", lambda _: line, text, count=1, flags=re.MULTILINE)
    for path, found in digests.items():
        line = rf'^"{re.escape(path)}" = "[0-9a-f]{{64}}"'
        text = re.sub(line, f'"{path}" = "{found}"', text, count=1, flags=re.MULTILINE)
    return text


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    unfinished = path.with_suffix(".toml.tmp")
    with unfinished.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)
