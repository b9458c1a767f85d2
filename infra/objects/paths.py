"""Walking a folder by file descriptors: no symbolic link is ever followed, no name leaves its folder."""

import errno
import heapq
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra.objects.keys import visible
from schemas.errors import ConfigurationError, DeniedError, NafudaError, NotFoundError, PermanentError, TransientError
from schemas.events import MAX_KEY_BYTES

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NAMES_AT_ONCE = 50_000
_FOUND = "lost+found/"  # of root alone, on every disk with an ext file system

_CLASH = "a file or a link has the name of a folder, or the other way round; use another key"
_UNFIT = "this file system cannot hold such a name; use another key"
_RIGHTS = "give this process the right to read and write it"
_DENIALS = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "the disk is read-only; mount it writable or turn off what writes here",
}
_REMEDIES: dict[int, tuple[type[NafudaError], str]] = {
    errno.EXDEV: (ConfigurationError, "a disk is mounted inside a bucket; mount disks as whole buckets"),
    errno.EISDIR: (PermanentError, _CLASH),
    errno.ENOTDIR: (PermanentError, _CLASH),
    errno.EEXIST: (PermanentError, _CLASH),
    errno.ENAMETOOLONG: (PermanentError, _UNFIT),
    errno.EILSEQ: (PermanentError, _UNFIT),
    errno.EINVAL: (PermanentError, _UNFIT),
}


@contextmanager
def errors(place: str, *, looking: bool = False, denied: type[NafudaError] = DeniedError) -> Iterator[None]:
    """Turns the system's errors into ours. `looking`: a name that cannot be a path here means there is nothing.

    denied: what a missing right is. Who reads waits for it, since no object is to blame; a
    person who starts something or writes is told at once, by a ConfigurationError.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"{place}: there is nothing by this name") from error
    except OSError as error:
        number = error.errno or 0
        if number in _DENIALS:
            raise denied(f"{place}: {_said(error, place)}; {_DENIALS[number]}") from error
        kind, remedy = _REMEDIES.get(number, (TransientError, "see the disk's space and health"))
        if looking and kind is PermanentError:
            raise NotFoundError(f"{place}: there is nothing by this name") from error
        code = "bad-key" if kind is PermanentError else None
        raise kind(f"{place}: {error.strerror or error}; {remedy}", code=code) from error


def _said(error: OSError, place: str) -> str:
    """What the system says, with the name that it is about where the place does not tell it."""
    name = error.filename if isinstance(error.filename, str) else ""
    return f"{error.strerror or error}" + (f" ({name})" if name and not place.endswith(name) else "")


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that must stay the same one: a disk that went away must not look like a folder without files."""

    path: Path
    device: int
    inode: int

    @classmethod
    def at(cls, path: Path, *, create: bool) -> "Root":
        """The folder that is at `path` now. ConfigurationError when there is none and it shall not be made."""
        with errors(str(path), denied=ConfigurationError):
            if create:
                path.mkdir(parents=True, exist_ok=True)
            if not path.is_dir():
                raise ConfigurationError(f"{path}: there is no such folder; make it, or mount its disk")
            found = path.resolve().stat()
        return cls(path.resolve(), found.st_dev, found.st_ino)

    def is_there(self) -> bool:
        """True while the same folder is at the path."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (self.device, self.inode)

    @contextmanager
    def folder(self, names: Sequence[str], *, make_from: int | None = None) -> Iterator[int]:
        """A descriptor of the folder `names` below the root; from depth `make_from` on, missing ones are made.

        Raises FileNotFoundError or NotADirectoryError when there is no such folder (a symbolic link is none),
        TransientError when the root itself is not there.
        """
        descriptor = self._open()
        try:
            for depth, name in enumerate(names):
                if make_from is not None and depth >= make_from:
                    _make(name, descriptor)
                inner = os.open(name, FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        gone = f"the folder {self.path} is not the one that was there at the start; mount it again or restart"
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise TransientError(gone, code="folder-gone") from error
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino) != (self.device, self.inode):
            os.close(descriptor)
            raise TransientError(gone, code="folder-gone")
        return descriptor


def _make(name: str, parent: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        os.fsync(parent)


def files(
    descriptor: int, base: str, prefix: str, at_once: int = NAMES_AT_ONCE
) -> Iterator[tuple[str, os.stat_result]]:
    """Every visible regular file below an open folder as (key, stat), ordered by key.

    base: the folder's own key, "" or with a slash at its end. Only keys that begin with `prefix`. At most
    `at_once` names of each level are in memory, whatever the folder holds. PermissionError names a folder that may not
    be read: what it holds must not look gone. Only a disk's own `lost+found` is passed over then.
    """
    for name in _names(descriptor, prefix[len(base) :], at_once):
        key = base + name
        if len(key.encode()) > MAX_KEY_BYTES:
            continue
        with suppress(FileNotFoundError, NotADirectoryError):  # gone meanwhile
            if name.endswith("/"):
                try:
                    inner = os.open(name[:-1], FOLDER_FLAGS, dir_fd=descriptor)
                except PermissionError as error:
                    if name == _FOUND:
                        continue
                    error.filename = key
                    raise
                try:
                    yield from files(inner, key, prefix, at_once)
                finally:
                    os.close(inner)
                continue
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                yield key, found


def folders(descriptor: int, base: str) -> Iterator[str]:
    """The keys of all visible folders below an open one, each with a slash at its end, in no order.

    Folders that this process may not read are named but not entered.
    """
    with os.scandir(descriptor) as entries:
        names = [name for name in map(_name, entries) if name.endswith("/")]
    for name in names:
        yield base + name
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            inner = os.open(name[:-1], FOLDER_FLAGS, dir_fd=descriptor)
            try:
                yield from folders(inner, base + name)
            finally:
                os.close(inner)


def _names(descriptor: int, prefix: str, at_once: int) -> Iterator[str]:
    """Names in key order, folders with a slash at the end, because "a/" sorts after "a-b" and "a.png"."""
    after = ""
    while True:
        with os.scandir(descriptor) as entries:
            fitting = (name for name in map(_name, entries) if name > after and _leads(name, prefix))
            batch = heapq.nsmallest(at_once, fitting)
        yield from batch
        if len(batch) < at_once:
            return
        after = batch[-1]


def _name(entry: os.DirEntry[str]) -> str:
    if not visible(entry.name):
        return ""
    if entry.is_dir(follow_symlinks=False):
        return entry.name + "/"
    return entry.name if entry.is_file(follow_symlinks=False) else ""


def _leads(name: str, prefix: str) -> bool:
    return name.startswith(prefix) or (name.endswith("/") and prefix.startswith(name))
