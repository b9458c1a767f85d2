"""What a drawing promises: the same seed is the same picture, and the truth says what can be seen."""

import hashlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from training.samples import Drawing, draw
from training.samples.degrade import KINDS, degrade
from training.samples.splits import FREE_SEEDS, HELD_OUT, TRAIN, UNSEEN_STYLES, VALIDATION
from training.samples.styles import HELD_OUT_STYLES, STYLES, TRAINING_STYLES
from training.samples.vocabulary import CLASSES, RATINGS, TAGS

PRINT_HASH = (
    "import hashlib; from training.samples import draw; d = draw(11); "
    "print(hashlib.sha256(d.image.tobytes() + d.truth.to_json().encode()).hexdigest())"
)


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    """Drawings over all styles."""
    return [draw(seed, style=list(STYLES)[seed % len(STYLES)]) for seed in range(45)]


def test_a_seed_gives_the_same_drawing_in_another_process() -> None:
    here = draw(11)
    wanted = hashlib.sha256(here.image.tobytes() + here.truth.to_json().encode()).hexdigest()
    there = subprocess.run([sys.executable, "-c", PRINT_HASH], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == wanted


def test_two_seeds_differ() -> None:
    assert draw(1).image.tobytes() != draw(2).image.tobytes()


def test_a_style_changes_the_look_and_not_the_boxes() -> None:
    cel, soft = draw(8, style="cel").truth, draw(8, style="soft").truth
    assert [b.label for b in cel.boxes] == [b.label for b in soft.boxes]
    assert cel.tags == soft.tags


def test_pictures_are_rgb_of_the_size_in_the_truth(drawings: list[Drawing]) -> None:
    assert all(d.image.mode == "RGB" and d.image.size == (d.truth.width, d.truth.height) for d in drawings)


def test_boxes_lie_in_the_picture(drawings: list[Drawing]) -> None:
    for truth in (d.truth for d in drawings):
        assert all(0 <= b.x0 < b.x1 <= truth.width and 0 <= b.y0 < b.y1 <= truth.height for b in truth.boxes)


def test_every_name_is_in_the_vocabulary(drawings: list[Drawing]) -> None:
    for truth in (d.truth for d in drawings):
        assert set(truth.tags) <= set(TAGS)
        assert {b.label for b in truth.boxes} <= set(CLASSES)
        assert truth.rating in RATINGS


def test_people_are_counted_alike_in_tags_and_boxes(drawings: list[Drawing]) -> None:
    for truth in (d.truth for d in drawings):
        people = sum(b.label == "person" for b in truth.boxes)
        assert people == sum(b.label == "face" for b in truth.boxes)
        assert ("solo" in truth.tags) == (people == 1)
        assert ("no_humans" in truth.tags) == (people == 0)
        assert ("multiple_girls" in truth.tags) == bool({"2girls", "3girls"} & set(truth.tags))


def test_a_thing_is_tagged_where_it_is_boxed(drawings: list[Drawing]) -> None:
    for truth in (d.truth for d in drawings):
        things = {b.label for b in truth.boxes} - {"person", "face"}
        assert things == set(truth.tags) & (set(CLASSES) - {"person", "face"})


def test_solo_people_have_no_eye_colour_while_their_eyes_are_closed() -> None:
    shut = [t for t in (draw(seed, style="cel").truth for seed in range(60)) if {"solo", "closed_eyes"} <= set(t.tags)]
    assert shut
    assert not any(f"{colour}_eyes" in t.tags for t in shut for colour in ("blue", "brown", "green", "red", "yellow"))


def test_ink_has_no_colours_to_tag() -> None:
    colours = ("blonde_hair", "blue_hair", "pink_hair", "blue_eyes", "red_headwear", "sunset")
    tags = [draw(seed, style="ink").truth.tags for seed in range(12)]
    assert all("monochrome" in found and not set(found) & set(colours) for found in tags)


def test_splits_and_free_seeds_share_no_seed() -> None:
    ranges = [range(FREE_SEEDS), *(s.seeds() for s in (TRAIN, VALIDATION, HELD_OUT, UNSEEN_STYLES))]
    ordered = sorted(ranges, key=lambda seeds: seeds.start)
    assert all(a.stop <= b.start for a, b in pairwise(ordered))


def test_held_out_styles_are_never_trained_on() -> None:
    assert set(HELD_OUT_STYLES).isdisjoint(TRAINING_STYLES)
    assert {UNSEEN_STYLES.style(seed) for seed in UNSEEN_STYLES.seeds()} == set(HELD_OUT_STYLES)
    assert all(draw(seed).truth.style in TRAINING_STYLES for seed in range(TRAIN.start, TRAIN.start + 5))


def test_saving_writes_picture_truth_and_sidecar(tmp_path: Path) -> None:
    drawn = draw(3)
    drawn.save(tmp_path / "a.webp", sidecar=True)
    truth = json.loads((tmp_path / "a.json").read_text())
    assert Image.open(tmp_path / "a.webp").size == (truth["width"], truth["height"])
    assert (tmp_path / "a.txt").read_text().strip() == ", ".join(t.replace("_", " ") for t in truth["tags"])


def test_an_unknown_suffix_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a suffix among .* got '.gif'"):
        draw(3).save(tmp_path / "a.gif")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_degrading_keeps_size_and_boxes_and_says_what_was_done(kind: str) -> None:
    clean = draw(5)
    spoilt = degrade(clean, kind, 0.6)
    assert spoilt.image.size == clean.image.size and spoilt.image.tobytes() != clean.image.tobytes()
    assert spoilt.truth.boxes == clean.truth.boxes
    assert (spoilt.truth.degradation.kind, spoilt.truth.degradation.strength) == (kind, 0.6)


def test_importing_the_drawing_code_needs_no_torch() -> None:
    script = "import sys, training.samples; sys.exit('torch' in sys.modules or 'onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
