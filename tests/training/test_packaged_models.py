"""The shipped models, as files and on drawings that were never trained on."""

import csv
import json

import numpy as np
import onnxruntime
import pytest

from training.samples.evaluate import Answers, Report, answers, report
from training.samples.shipped import BOX_THRESHOLD, PACKAGED, TAG_THRESHOLD, SampleDetector, SampleTagger
from training.samples.splits import HELD_OUT, Split
from training.samples.vocabulary import CLASSES, RATINGS, TAGS

SOME = Split("some", HELD_OUT.start, 150)
# A little under the cards' figures: 150 drawings are a small sample.
TAG_FLOOR, BOX_FLOOR = 0.94, 0.95


@pytest.fixture(scope="module")
def measured() -> tuple[Answers, Report]:
    """Both models on the first held-out drawings."""
    found = answers(SOME)
    return found, report("some", found, TAG_THRESHOLD, BOX_THRESHOLD)


def test_the_files_stay_small() -> None:
    assert sum(p.stat().st_size for p in PACKAGED.glob("sample-*/*")) <= 20_000_000


def test_the_label_file_is_wd_shaped_with_ratings_first() -> None:
    with (PACKAGED / "sample-tagger" / "selected_tags.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["tag_id", "name", "category", "count"]
    assert [row["name"] for row in rows] == [*RATINGS, *TAGS]
    assert {row["category"] for row in rows[:4]} == {"9"} and {row["category"] for row in rows[4:]} == {"0", "5"}
    assert len({row["tag_id"] for row in rows}) == len(rows)


def test_the_detector_names_its_classes_in_metadata_and_file() -> None:
    assert SampleDetector().names == CLASSES
    assert json.loads((PACKAGED / "sample-detector" / "labels.json").read_text()) == list(CLASSES)


@pytest.mark.parametrize("name", ["sample-tagger", "sample-detector"])
def test_a_batch_gives_the_same_as_one_by_one(name: str) -> None:
    session = onnxruntime.InferenceSession(str(PACKAGED / name / "model.onnx"), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).integers(0, 256, (3, *session.get_inputs()[0].shape[1:]), dtype=np.uint8)
    whole = session.run(None, {"image": pixels})[0]
    single = np.concatenate([session.run(None, {"image": pixels[i : i + 1]})[0] for i in range(3)])
    np.testing.assert_allclose(whole, single, atol=2e-3)


def test_the_taggers_outputs_are_probabilities(measured: tuple[Answers, Report]) -> None:
    scores = measured[0].scores
    assert scores.min() >= 0 and scores.max() <= 1
    assert len(SampleTagger().names) == scores.shape[1] + len(RATINGS)


def test_the_tagger_knows_drawings_it_has_never_seen(measured: tuple[Answers, Report]) -> None:
    assert measured[1].tag_micro_f1 >= TAG_FLOOR
    assert measured[1].rating_accuracy >= 0.95


def test_the_detector_finds_what_is_there(measured: tuple[Answers, Report]) -> None:
    assert measured[1].box_map50 >= BOX_FLOOR
    assert min(measured[1].box_ap50[label] for label in ("person", "face")) >= 0.9
