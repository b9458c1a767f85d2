"""One running Nafuda for the tests that only look at it; tests that hurt it start their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.instance import Instance


@pytest.fixture(scope="module")
def nafuda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance without samples."""
    instance = Instance(tmp_path_factory.mktemp("nafuda") / "data", "--no-samples").start()
    yield instance
    instance.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test's own instance may live."""
    return tmp_path / "data"
