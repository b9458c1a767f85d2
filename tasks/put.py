"""Putting local files into the bucket, with the same hints as any upload."""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import PermanentError
from schemas.events import EventKind, ObjectEvent
from tasks.listen import take_in
from tasks.services import Services

_AT_ONCE = 64
_HIDDEN = re.compile(r"(^|/)\.")


@dataclass(frozen=True, slots=True)
class Put:
    """A file and where it was put; error: why it could not be."""

    path: Path
    bucket: str
    key: str
    error: str = ""


def put_files(services: Services, paths: Iterable[Path], prefix: str = "") -> Iterator[Put]:
    """Put files, and the files below folders, under their names; hidden ones are passed over."""
    files = ((file, prefix + key) for path in paths for file, key in _files(path))
    while chunk := list(itertools.islice(files, _AT_ONCE)):
        put = [_put(services, file, key) for file, key in chunk]
        events = [ObjectEvent(EventKind.CREATED, p.bucket, p.key, source="ingest") for p in put if not p.error]
        take_in(services, events)
        yield from put


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    if path.is_file():
        yield path, path.name
        return
    for file in sorted(path.rglob("*")):
        key = file.relative_to(path).as_posix()
        if file.is_file() and not _HIDDEN.search(key):
            yield file, key


def _put(services: Services, file: Path, key: str) -> Put:
    bucket = services.settings.bucket
    try:
        with file.open("rb") as content:
            services.store.put(bucket, key, content)
    except OSError as error:
        return Put(file, bucket, key, f"cannot be read: {error}")
    except PermanentError as error:
        return Put(file, bucket, key, str(error))
    return Put(file, bucket, key)
