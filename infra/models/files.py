"""Model files on this machine: where one lies, and whether it is the one that the manifest means."""

import hashlib
import re
import threading
from pathlib import Path

_CHUNK = 1 << 20


class Digests:
    """SHA-256 of files, each computed once while path, time and size stay the same. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int], str] = {}
        self._lock = threading.Lock()

    def of(self, path: Path) -> str:
        """SHA-256 of a file in hexadecimal, read in pieces. OSError when it cannot be read."""
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = digest(path)
            with self._lock:
                self._known[key] = known
        return known


def digest(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    running = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            running.update(chunk)
    return running.hexdigest()


def with_digests(text: str, folder: Path) -> str:
    """A manifest's text with the digests of the files in a folder; files that it does not list are left out."""

    def line(match: re.Match[str]) -> str:
        path = folder / match["path"]
        return f'"{match["path"]}" = "{digest(path)}"' if path.is_file() else match[0]

    return re.sub(r'^"(?P<path>[^"]+)" = "[0-9a-f]{64}"', line, text, flags=re.MULTILINE)


def digest_lines(folder: Path) -> list[str]:
    """The lines of a manifest's `[source.files]` for every file of a folder, sorted by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py")
    return [f'"{path.relative_to(folder).as_posix()}" = "{digest(path)}"' for path in paths]
