"""The lock on a data folder: one instance at a time, however the last one ended."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO

from schemas.errors import ConfigurationError


class DataLock:
    """Held while this object lives; the kernel lets go of it when the process dies."""

    def __init__(self, folder: Path) -> None:
        """ConfigurationError when another instance holds it, saying which process."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what viewers may not see
        self._file: IO[str] = (folder / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise ConfigurationError(
                f"another Nafuda (process {holder}) runs on {folder.resolve()}: use it, stop it, or give --data DIR"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another instance in."""
        self._file.close()


def write_note(path: Path, note: dict[str, str | int]) -> None:
    """Leave a note that only this user can read, whole or not at all."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(note, file)
    fresh.replace(path)
