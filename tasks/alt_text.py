"""Alt text for a site: which image of ours a page means, what is known of it, and pages written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from schemas.errors import NotFoundError, PermanentError, RefusedError
from schemas.ledger import RecordLedger
from schemas.record import Visibility
from workers.captioning.site import Gap, fill

PAGES = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class Unknown:
    """An image that no text was found for: where it stands, and why."""

    page: str
    line: int
    src: str
    reason: str


@dataclass
class Told:
    """What became of a site. Counts are images, except `pages` and `changed`."""

    pages: int = 0
    changed: int = 0
    filled: int = 0
    kept: int = 0
    silent: int = 0
    unknown: list[Unknown] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Site:
    """A folder of built pages. bases: address → bucket/prefix, for images that lie elsewhere."""

    root: Path
    records: RecordLedger
    bases: Mapping[str, str] = field(default_factory=dict)

    def fill(self, *, write: bool) -> Told:
        """Fill the gaps of every page; without `write` nothing changes on disk."""
        told = Told()
        describe = lru_cache(maxsize=10_000)(self._text)  # the same picture stands on many pages
        for path in pages(self.root):
            name = path.relative_to(self.root).as_posix()
            told.pages += 1
            content = path.read_bytes()
            try:
                found = fill(content, lambda src, path=path: describe(path.parent, src)[0])  # type: ignore[misc]
            except RefusedError as error:
                told.skipped.append(f"{name}: {error}")
                continue
            told.filled += len(found.filled)
            told.kept += found.kept
            told.silent += found.silent
            told.unknown += [_unknown(name, gap, describe(path.parent, gap.address)[1]) for gap in found.unknown]
            if found.page != content:
                told.changed += 1
                if write:
                    _replace(path, found.page)
        return told

    def _text(self, folder: Path, src: str) -> tuple[str, str]:
        """The alt text of an image, or "" and the reason."""
        try:
            name = self._name(folder, src)
            record = self.records.record(self.records.find(name))
        except NotFoundError:
            return "", "not known: `nafuda ingest` it, or name its bucket with --base"
        except PermanentError as error:
            return "", str(error)
        if record.visibility is not Visibility.SHOWN:
            return "", f"image {record.id} is {record.visibility.value}"
        return record.alt_text, "" if record.alt_text else f"image {record.id} is not described yet"

    def _name(self, folder: Path, src: str) -> str:
        """What the ledger knows the image as: the digest of a file of the site, or a bucket and key."""
        address = src.strip()
        if not address:
            raise PermanentError("it has no src")
        for base, place in self.bases.items():
            if address.startswith(base):
                key = unquote(urlsplit(address[len(base) :]).path).lstrip("/")
                return f"{place.rstrip('/')}/{key}"
        parts = urlsplit(address)
        if parts.scheme == "data":
            raise PermanentError("it is inside the page (data:)")
        if parts.scheme or parts.netloc:
            raise PermanentError("it lies on another site: name its bucket with --base ADDRESS=BUCKET/PREFIX")
        path = unquote(parts.path)
        file = (self.root / path.lstrip("/") if path.startswith("/") else folder / path).resolve()
        if not file.is_relative_to(self.root.resolve()) or not file.is_file():
            raise PermanentError(f"there is no file {path} in the site")
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def pages(root: Path) -> Iterator[Path]:
    """Every page below a folder, in the order of their names; links are not followed."""
    for folder, folders, files in os.walk(root, followlinks=False):
        folders.sort()
        for name in sorted(files):
            path = Path(folder) / name
            if path.suffix.lower() in PAGES and not path.is_symlink():
                yield path


def bases_of(given: Sequence[str]) -> dict[str, str]:
    """ADDRESS=BUCKET/PREFIX pairs, the longest address first. PermanentError for one that is none."""
    found = {}
    for each in given:
        address, equals, place = each.rpartition("=")
        if not equals or "://" not in address or not place.strip("/"):
            raise PermanentError(f"--base {each!r}: write it as https://cdn.example/=BUCKET/PREFIX")
        found[address] = place
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _unknown(page: str, gap: Gap, reason: str) -> Unknown:
    return Unknown(page, gap.line, gap.src, reason)


def _replace(path: Path, content: bytes) -> None:
    """Write beside and rename: a reader sees the old page or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
