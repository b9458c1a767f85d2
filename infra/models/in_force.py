"""Which models are in force where the environment does not say: a small file in the data folder."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigurationError

FILE = "models.json"


def read_in_force(data: Path) -> tuple[str, ...] | None:
    """The ids that `nafuda models use` wrote down, or None when it never did."""
    path = data / FILE
    if not path.is_file():
        return None
    try:
        names = json.loads(path.read_text("utf-8"))["models"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is not what `nafuda models use` writes: {error}; remove it") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"{path} is not what `nafuda models use` writes; remove it")
    return tuple(names)


def write_in_force(data: Path, names: Sequence[str]) -> None:
    """Write the ids down, whole or not at all."""
    data.mkdir(parents=True, exist_ok=True)
    unfinished = data / f"{FILE}.tmp"
    with unfinished.open("w", encoding="utf-8") as stream:
        json.dump({"models": list(names)}, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(data / FILE)
