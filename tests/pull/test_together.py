"""Pulls of one model at the same time, by real processes: one works, the others wait, and a kill costs nothing (R8)."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tasks.cli.main import main
from tests.pull import families
from tests.pull.hub import COMMIT, Shelf, serving

WD = "SmilingWolf/wd-vit-tagger-v3"
CONTENT = np.random.default_rng(1).bytes(2**20)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with serving(Shelf({WD: families.wd_tagger(tmp_path / "repo" / "wd")})) as shelf:
        (shelf.repos[WD] / "model.onnx").write_bytes(CONTENT)
        shelf.gate.clear()
        yield shelf
        shelf.gate.set()


@contextmanager
def pulling(data: Path, shelf: Shelf, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A process that pulls; stdout and stderr in one pipe."""
    environment = {**os.environ, "NAFUDA_DATA": str(data), "NAFUDA_HUB_URL": shelf.url, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "nafuda", "models", "pull", WD, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def line_of(process: subprocess.Popen[str], words: str) -> None:
    """Read what it says until a line holds these words."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"never said {words!r}: {said}")


def graphs_asked(shelf: Shelf) -> list[str]:
    """The ranges of all requests for the graph's bytes."""
    return [kept for method, path, kept in list(shelf.asked) if method == "GET" and path.endswith("model.onnx")]


def test_a_second_pull_waits_and_downloads_nothing_again(tmp_path: Path, shelf: Shelf) -> None:
    data = tmp_path / "data"
    with pulling(data, shelf) as first:
        until(lambda: len(graphs_asked(shelf)) == 1, "the first download")
        with pulling(data, shelf) as second:
            line_of(second, f"another pull of {WD} is running; waiting")
            shelf.gate.set()
            told = [each.communicate(timeout=60)[0] for each in (first, second)]
            assert [first.returncode, second.returncode] == [0, 0], told
    assert len(graphs_asked(shelf)) == 1
    assert f"pinned to {COMMIT}" in told[1]
    assert (data / "models" / WD / "model.onnx").read_bytes() == CONTENT
    assert not (data / "models" / ".partial" / WD).exists()


def test_when_a_pull_is_killed_the_one_that_waits_goes_on_where_it_was(tmp_path: Path, shelf: Shelf) -> None:
    data = tmp_path / "data"
    partial = data / "models" / ".partial" / WD
    with pulling(data, shelf) as first:
        until(lambda: sum(each.stat().st_size for each in partial.rglob("model.onnx")) > 2**18, "a part of the file")
        with pulling(data, shelf) as second:
            line_of(second, "waiting")
            first.kill()
            shelf.gate.set()
            told, _ = second.communicate(timeout=60)
            assert second.returncode == 0, told
    (again,) = graphs_asked(shelf)[1:]
    assert int(again.removeprefix("bytes=").removesuffix("-")) > 2**18
    assert (data / "models" / WD / "model.onnx").read_bytes() == CONTENT


def test_a_pull_from_a_folder_waits_too(tmp_path: Path, shelf: Shelf) -> None:
    data, stick = tmp_path / "data", tmp_path / "stick"
    families.wd_tagger(stick / WD)
    with pulling(data, shelf) as first:
        until(lambda: len(graphs_asked(shelf)) == 1, "the first download")
        with pulling(data, shelf, "--from", str(stick), "--revision", COMMIT) as second:
            line_of(second, "waiting")
            shelf.gate.set()
            told = [each.communicate(timeout=60)[0] for each in (first, second)]
    assert first.returncode == 0, told
    assert second.returncode == 3, told  # its graph is another one than the first has pinned meanwhile
    assert (data / "models" / WD / "model.onnx").read_bytes() == CONTENT


def test_only_what_is_missing_is_downloaded(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.gate.set()
    data = tmp_path / "data"
    monkeypatch.setenv("NAFUDA_DATA", str(data))
    monkeypatch.setenv("NAFUDA_HUB_URL", shelf.url)
    assert main(["models", "pull", WD]) == 0
    (data / "models" / WD / "selected_tags.csv").unlink()
    shelf.asked.clear()
    assert main(["models", "pull", WD]) == 0
    assert graphs_asked(shelf) == [] and (data / "models" / WD / "selected_tags.csv").is_file()
    shelf.asked.clear()
    capsys.readouterr()
    assert main(["models", "pull", WD]) == 0
    assert shelf.asked == [] and "nothing is missing" in capsys.readouterr().out
