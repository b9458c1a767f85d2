"""The catalogue: manifests of the package and of a folder, and each model's files, verified."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from infra.models.files import Digests
from schemas.errors import ConfigurationError, ManifestError, NotFoundError
from schemas.model_text import parse
from schemas.models import Manifest, SourceKind, revision

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose files are here and are the right ones. paths: as in the manifest → on this machine."""

    manifest: Manifest
    revision: str
    paths: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of `nafuda models list`. missing: "" when installed, else why not. revision: "" then."""

    id: str
    title: str
    stage: str
    revision: str
    licence: str
    installed: bool
    sample: bool
    missing: str


class Catalogue:
    """Manifests by id. folder: the local models folder (`NAFUDA_MODELS_DIR`), or None.

    A folder holds `NAME.toml` manifests, which come before packaged ones of the same id, and model files
    under `ID/` (`OWNER/NAME/FILE`), which come before packaged ones too.
    """

    def __init__(
        self, manifests: Mapping[str, Manifest], folder: Path | None = None, hub_cache: Path | None = None
    ) -> None:
        self._manifests = dict(sorted(manifests.items()))
        self._folder = folder
        self._hub_cache = hub_cache
        self._digests = Digests()

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self._manifests.values())

    def manifest(self, model: str) -> Manifest:
        """A manifest by id. NotFoundError naming those there are."""
        try:
            return self._manifests[model]
        except KeyError:
            known = ", ".join(self._manifests) or "none"
            raise NotFoundError(f"no model {model!r} in the catalogue; known: {known}") from None

    def install(self, model: str) -> Installed:
        """Find and verify a model's files.

        ConfigurationError (code "model-missing" or "model-changed") says which file and what to do.
        """
        manifest = self.manifest(model)
        if manifest.source.kind is SourceKind.EXTRA:
            version = self._distribution(manifest)
            return Installed(manifest, revision(manifest, {manifest.source.name: version}), {})
        if manifest.source.kind is SourceKind.MODEL:
            return self._borrowing(manifest)
        if not manifest.source.pinned:
            raise ConfigurationError(
                f"model {model} is not pinned to a commit and digests here; run `nafuda models pull {model}`",
                code="model-missing",
            )
        paths = {path: self._verified(manifest, path) for path in manifest.source.files}
        return Installed(manifest, revision(manifest, manifest.source.files), paths)

    def _borrowing(self, manifest: Manifest) -> Installed:
        """A model with files of another, which must be here: that one's digests and places."""
        source = manifest.source
        if self.manifest(source.name).source.kind is SourceKind.MODEL:
            raise ManifestError(f"{manifest.id}: {source.name} has no files of its own; name the model that has them")
        owner = self.install(source.name)
        lacking = sorted(source.files.keys() - owner.paths.keys())
        if lacking:
            raise ManifestError(
                f"{manifest.id}: {source.name} has no file {lacking[0]!r}; it has {sorted(owner.paths)}"
            )
        digests = {path: owner.manifest.source.files[path] for path in source.files}
        known = replace(source, files=digests, revision=owner.manifest.source.revision)
        paths = {path: owner.paths[path] for path in source.files}
        return Installed(replace(manifest, source=known), revision(manifest, digests), paths)

    def _distribution(self, manifest: Manifest) -> str:
        try:
            return metadata.version(manifest.source.name)
        except metadata.PackageNotFoundError:
            extra = manifest.needs.extras[0]
            raise ConfigurationError(
                f"model {manifest.id}: {manifest.source.name} is not installed; pip install 'nafuda[{extra}]'",
                code="model-missing",
            ) from None

    def listing(self) -> list[Listing]:
        """All models by id, installed or not."""
        return [self._line(manifest) for manifest in self]

    def _line(self, manifest: Manifest) -> Listing:
        known, missing = "", ""
        try:
            known = self.install(manifest.id).revision
        except ConfigurationError as error:
            missing = str(error)
        return Listing(
            id=manifest.id,
            title=manifest.title,
            stage=manifest.stage,
            revision=known,
            licence=manifest.licence,
            installed=not missing,
            sample=manifest.sample,
            missing=missing,
        )

    def _verified(self, manifest: Manifest, path: str) -> Path:
        wanted = manifest.source.files[path]
        place = next((each for each in self._places(manifest, path) if each.is_file()), None)
        if place is None:
            raise ConfigurationError(
                f"model {manifest.id}: file {path!r} is missing; {self._remedy(manifest, path)}",
                code="model-missing",
            )
        found = self._digests.of(place)
        if found != wanted:
            raise ConfigurationError(
                f"model {manifest.id}: {place} has SHA-256 {found}, the manifest says {wanted}; get the file "
                "again or, if the new one is meant, put its digest into the manifest (python -m infra.models)",
                code="model-changed",
            )
        return place

    def _places(self, manifest: Manifest, path: str) -> Iterator[Path]:
        if self._folder is not None:
            yield self._folder / manifest.id / path
        if manifest.source.kind is SourceKind.PACKAGE:
            yield packaged_folder() / manifest.source.name / path
        elif self._hub_cache is not None:
            repository = "models--" + manifest.source.name.replace("/", "--")
            yield self._hub_cache / repository / "snapshots" / manifest.source.revision / path

    def _remedy(self, manifest: Manifest, path: str) -> str:
        source = manifest.source
        place = str(self._folder / manifest.id / path) if self._folder else "a folder named by NAFUDA_MODELS_DIR"
        if source.kind is SourceKind.HUB:
            url = f"https://huggingface.co/{source.name}/resolve/{source.revision}/{path}"
            into = place if self._folder else f"{place}, as {manifest.id}/{path}"
            return f"run `nafuda models pull {manifest.id}`, or download {url} into {into}"
        return f"get it by installing the package again, or put it into {place}"


def packaged_folder() -> Path:
    """The folder of model files that ship with the package: NAME/FILE."""
    return Path(str(files("infra.models"))) / "packaged"


def open_catalogue(folder: Path | None = None, hub_cache: Path | None = None) -> Catalogue:
    """The packaged manifests and those of a local folder. ManifestError for one that cannot be read.

    hub_cache: where the Hugging Face client keeps what it downloaded (`~/.cache/huggingface/hub`), or None.
    """
    shipped = Path(str(files("schemas"))) / "manifests"
    manifests = {**_load(shipped / "hub"), **_load(shipped)}
    if folder is not None:
        if not folder.is_dir():
            raise ConfigurationError(f"the models folder {folder} does not exist; create it or unset NAFUDA_MODELS_DIR")
        own = _load(folder)
        for model in sorted(manifests.keys() & own.keys()):
            log.info("model %s: the manifest in %s replaces the packaged one", model, folder)
        manifests |= own
    return Catalogue(manifests, folder, hub_cache)


def manifest_text(model: str, folder: Path | None = None) -> str:
    """The TOML of the manifest in force for an id, as it lies on disk. NotFoundError when there is none."""
    shipped = Path(str(files("schemas"))) / "manifests"
    for place in (*([folder] if folder else []), shipped, shipped / "hub"):
        for path in sorted(place.glob("*.toml")):
            text = path.read_text(encoding="utf-8")
            if parse(text, path.name).id == model:
                return text
    raise NotFoundError(f"no model {model!r} in the catalogue")


def _load(folder: Path) -> dict[str, Manifest]:
    manifests: dict[str, Manifest] = {}
    for path in sorted(folder.glob("*.toml")):
        manifest = parse(path.read_text(encoding="utf-8"), path.name)
        if manifest.id in manifests:
            raise ConfigurationError(f"{path}: a second manifest with the id {manifest.id!r}; remove one of them")
        manifests[manifest.id] = manifest
    return manifests
