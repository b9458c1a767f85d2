"""What Linux says it really watches for us: the library that asks for watches is silent when the limit is reached."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
_DESCRIPTIONS = Path("/proc/self/fdinfo")


def unwatched(folders: Iterable[Path]) -> list[Path]:
    """Those of the folders that exist, may be read, and have no watch in this process (man 5 proc, "fdinfo").

    Empty where the system does not tell (anything but Linux). Folders are told by their inode alone.
    """
    if not _DESCRIPTIONS.is_dir():
        return []
    watched = _inodes()
    return [folder for folder in folders if _inode(folder) not in watched]


def _inodes() -> set[int]:
    found = {0}
    for descriptor in _DESCRIPTORS.iterdir():
        with suppress(OSError):  # closed meanwhile
            if str(descriptor.readlink()) == "anon_inode:inotify":
                lines = (_DESCRIPTIONS / descriptor.name).read_text().splitlines()
                found.update(_told(line) for line in lines if line.startswith("inotify "))
    return found


def _told(line: str) -> int:
    fields = dict(field.split(":", 1) for field in line.split() if ":" in field)
    return int(fields.get("ino", "0"), 16)


def _inode(folder: Path) -> int:
    """A readable folder's inode, 0 for anything else."""
    with suppress(OSError):
        if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
            return folder.lstat().st_ino
    return 0
