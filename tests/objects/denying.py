"""Folders and files that may not be opened, also for root, for whom the system denies nothing."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def denying(*names: str, number: int = errno.EACCES) -> Iterator[None]:
    """Whoever opens something by one of these names gets this error of the system's."""
    really = os.open

    def open_(path: Any, *args: Any, **given: Any) -> int:
        if isinstance(path, str | Path) and Path(path).name in names:
            raise OSError(number, os.strerror(number), str(path))
        return really(path, *args, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", open_)
        yield
