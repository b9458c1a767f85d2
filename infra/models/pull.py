"""Getting models from a hub of Hugging Face's kind, or from a folder: one pinned commit, checked file by file.

The hub's client is imported where it is needed: no other command waits for it.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from infra.models.files import digest
from schemas.errors import ConfigurationError, NotFoundError, TransientError
from schemas.models import UNPINNED, Manifest, Source, SourceKind

HUB = "https://huggingface.co"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ANY = "0" * 64
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a hub has under a commit: sizes in bytes, and SHA-256 where the hub states it ("" else)."""

    commit: str
    licence: str
    sizes: Mapping[str, int]
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub or a mirror of one, by its address."""

    url: str = HUB

    def offer(self, repo: str, commit: str) -> Offer:
        """A commit of a repository, or the newest one when none is named. Errors name the address and the remedy."""
        import httpx2
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

        asked = f"{self.url}/{repo}"
        try:
            found = HfApi(endpoint=self.url).model_info(repo, revision=commit or None, files_metadata=True, timeout=30)
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise NotFoundError(f"{asked} has no commit {commit or 'main'}: {_line(error)}") from error
        except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
            raise TransientError(f"{asked} is away: {_line(error)}; without internet use --from DIR") from error
        if not _COMMIT.fullmatch(found.sha or ""):
            raise ConfigurationError(f"{asked} names no commit; check NAFUDA_HUB_URL")
        files = found.siblings or []
        return Offer(
            found.sha or "",
            str(getattr(found.card_data, "license", None) or ""),
            {file.rfilename: int(file.size or 0) for file in files},
            {file.rfilename: str(file.lfs.sha256) for file in files if file.lfs},
        )

    def fetch(self, repo: str, commit: str, path: str, into: Path) -> Path:
        """One file below `into`; a download that broke off goes on where it was. Errors as in `offer`."""
        import httpx2
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError

        try:
            return Path(hf_hub_download(repo, path, revision=commit, local_dir=into, endpoint=self.url))
        except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
            place = f"{self.url}/{repo}/resolve/{commit}/{path}"
            raise TransientError(f"{place} broke off: {_line(error)}; the same command goes on from there") from error


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
    pinned = source.revision if source.pinned else commit
    if commit and source.pinned and commit != source.revision:
        raise ConfigurationError(f"{manifest.id} is pinned to {source.revision}; remove its manifest first")
    wanted = [path for path, said in source.files.items() if not _is_there(folder / manifest.id / path, said)]
    if source.pinned and not wanted:
        say(f"{source.name} at {pinned}: nothing is missing")
        return _keep(manifest, text, folder, {}, Offer(pinned, manifest.licence, {}, {}))
    offer = hub.offer(source.name, pinned)
    missing = sorted(set(wanted) - offer.sizes.keys())
    if missing:
        raise ConfigurationError(f"{hub.url}/{source.name} at {offer.commit} lacks {', '.join(missing)}")
    total = sum(offer.sizes[path] for path in wanted)
    terms = offer.licence or "not stated"
    say(f"{source.name} at {offer.commit}: {len(wanted)} files, {total / 2**20:.1f} MiB, licence {terms}")
    partial = folder / ".partial" / manifest.id
    partial.mkdir(parents=True, exist_ok=True)
    got = {path: hub.fetch(source.name, offer.commit, path, partial) for path in wanted}
    return _keep(manifest, text, folder, got, replace(offer, licence=offer.licence or manifest.licence))


def pull_from(manifest: Manifest, text: str, folder: Path, origin: Path, say: Say, commit: str = "") -> Pulled:
    """All files from a folder that somebody brought, laid out like the repository, or with it as OWNER/NAME inside.

    A manifest that is not pinned needs the commit: nobody can be asked.
    """
    source = _hub_source(manifest)
    pinned = source.revision if source.pinned else commit
    if commit and commit != pinned:
        raise ConfigurationError(f"{manifest.id} is pinned to {source.revision}; remove its manifest first")
    if not _COMMIT.fullmatch(pinned) or pinned == UNPINNED:
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
    if manifest.source.kind is not SourceKind.HUB:
        raise ConfigurationError(f"{manifest.id} does not come from a hub: it is installed with the package")
    return manifest.source


def _keep(manifest: Manifest, text: str, folder: Path, got: Mapping[str, Path], offer: Offer) -> Pulled:
    digests = {}
    for path, file in got.items():
        digests[path] = digest(file)
        wanted = manifest.source.files[path] if manifest.source.files[path] != _ANY else offer.digests.get(path, "")
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


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
