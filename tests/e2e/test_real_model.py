"""A model of a hub, by a command each: pulled, used, loaded by workers, and let speak of what was there (R8, R10)."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.e2e.instance import Instance, wait_for
from tests.pull.hub import COMMIT, Shelf, serving
from tests.training.hub_shelf import wd_tagger
from training.samples import draw

WD, SAMPLE = "SmilingWolf/wd-swinv2-tagger-v3", "nafuda/sample-tagger"
# The sample says `traditional_media` of both, the only tag of a category that no WD tagger has.
BEFORE = {"a.png": 9_650_092, "b.png": 9_650_086}
AFTER = {"c.png": 9_650_001}
THRESHOLDS = {"0": 0.35, "4": 0.85}  # by category of selected_tags.csv


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with serving(Shelf({WD: wd_tagger(tmp_path / "repo")})) as shelf:
        yield shelf


def put(instance: Instance, drawings: dict[str, int]) -> None:
    """Into the bucket, and wait until all there is has been analysed."""
    bucket = instance.folder / "buckets" / "images"
    bucket.mkdir(parents=True, exist_ok=True)
    for name, seed in drawings.items():
        draw(seed).image.save(instance.folder / name)
        (instance.folder / name).replace(bucket / name)
    done = "SELECT count(*) FROM records WHERE status = 'complete'"
    wait_for(lambda: instance.sql(done) == [(len(list(bucket.iterdir())),)], 120, instance.logs)


def expected(repository: Path, picture: Image.Image) -> set[str]:
    """What the graph says of a picture, prepared as WD's authors publish it: white square, bicubic, BGR."""
    side = max(picture.size)
    square = Image.new("RGB", (side, side), "white")
    square.paste(picture.convert("RGB"), ((side - picture.width) // 2, (side - picture.height) // 2))
    pixels = np.asarray(square.resize((448, 448), Image.Resampling.BICUBIC), np.float32)[None, :, :, ::-1]
    session = onnxruntime.InferenceSession(str(repository / "model.onnx"), providers=["CPUExecutionProvider"])
    (scores,) = session.run(["output"], {"input": np.ascontiguousarray(pixels)})[0]
    with (repository / "selected_tags.csv").open(newline="", encoding="utf-8") as stream:
        labels = [(row["name"], THRESHOLDS.get(row["category"], 2)) for row in csv.DictReader(stream)]
    return {name for (name, limit), score in zip(labels, scores, strict=True) if score >= limit}


def spoken(shown: dict[str, Any]) -> dict[str, set[str]]:
    """Tags by who said them."""
    found: dict[str, set[str]] = {}
    for tag in shown["tags"]:
        found.setdefault(tag["source"], set()).add(tag["name"])
    return found


def test_a_pulled_model_speaks_of_what_comes_in_and_after_a_backfill_of_what_was_there(
    folder: Path, shelf: Shelf
) -> None:
    environment = {"NAFUDA_HUB_URL": shelf.url, "HF_HUB_DISABLE_TELEMETRY": "1"}
    instance = Instance(folder, "--no-samples", environment=environment).start()
    try:
        put(instance, BEFORE)
        first = {name: instance.json("show", name) for name in BEFORE}
        assert all("traditional_media" in spoken(shown)[SAMPLE] for shown in first.values())
        assert COMMIT in _done(instance, "models", "pull", WD)
        said = _done(instance, "models", "use", WD)
        assert f"{SAMPLE} leaves: {WD} does its work" in said and "restart" in said
        assert instance.stop() == 0
        instance.start()
        put(instance, AFTER)
        _only_wd(instance, shelf, AFTER)
        for name, shown in first.items():  # until the backfill
            now = instance.json("show", name)
            assert (now["status"], spoken(now)) == ("complete", spoken(shown))
        assert instance.json("backfill", "--missing", WD)["work"] == len(BEFORE)
        wait_for(lambda: all(WD in spoken(instance.json("show", name)) for name in BEFORE), 60, instance.logs)
        _only_wd(instance, shelf, BEFORE)
        stale = ("search", "tag:traditional_media")
        wait_for(lambda: instance.json(*stale)["hits"] == [], 30, instance.logs)
        assert instance.json("backfill", "--missing", WD)["work"] == 0
    finally:
        assert instance.stop() == 0


def _done(instance: Instance, *arguments: str) -> str:
    done = instance.cli(*arguments)
    assert done.returncode == 0, done
    return done.stdout


def _only_wd(instance: Instance, shelf: Shelf, drawings: dict[str, int]) -> None:
    """Each of them has exactly the tags of the pulled graph, from it and from no sample."""
    for name, seed in drawings.items():
        shown = instance.json("show", name)
        wanted = expected(shelf.repos[WD], draw(seed).image)
        assert wanted, "a picture of which the graph says nothing proves nothing"
        heard = {source: tags for source, tags in spoken(shown).items() if not source.startswith("implied")}
        assert heard == {WD: wanted}, (name, heard)
        assert WD in {each["model"] for each in shown["results"] if each["stage"] == "tagging"}
