"""What the other shipped models reach on drawings never trained on, by the measures behind the figures of the docs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.samples import sampling
from training.samples.appeal import appeal
from training.samples.measure import (
    WORN_HELD_OUT,
    captions_of,
    drawn,
    judged,
    rank_correlation,
    rated,
    retrieved,
)
from training.samples.shipped import PACKAGED, SampleEncoder, SampleGraph
from training.samples.splits import HELD_OUT, Split

SOME, WORN = Split("some", HELD_OUT.start, 150), Split("some_worn", WORN_HELD_OUT.start, 60)


@dataclass(frozen=True, slots=True)
class Drawn:
    """SOME, prepared, with the truth."""

    pixels: NDArray[np.uint8]
    captions: list[str]
    ratings: list[str]


@pytest.fixture(scope="module")
def some() -> Drawn:
    return Drawn(*drawn(SOME))


# Floors are a little under what these few reach (beside each): processors differ in the last digits.


def test_captions_claim_what_is_there_and_leave_little_out(some: Drawn) -> None:  # .961, .957, .673
    precision, recall, exact = captions_of(some.pixels, some.captions, PACKAGED)
    assert precision >= 0.94 and recall >= 0.93 and exact >= 0.6


def test_captions_of_other_drawings_are_not_counted_as_right(some: Drawn) -> None:
    precision, recall, exact = captions_of(some.pixels, [*some.captions[1:], some.captions[0]], PACKAGED)
    assert precision < 0.5 and recall < 0.5 and exact < 0.05


def test_a_query_finds_a_drawing_that_satisfies_it(some: Drawn) -> None:  # .993 of 150; of 1,000 it is harder: .968
    found, cut, lost = retrieved(some.pixels, SOME, PACKAGED)
    assert found >= 0.97 and 0.3 < cut < 0.7 and lost <= 0.02


def test_with_other_pictures_queries_find_no_more_than_by_chance(some: Drawn) -> None:
    found, _, lost = retrieved(np.roll(some.pixels, 1, 0), SOME, PACKAGED)
    assert found < 0.8 and lost > 0.3


def test_ratings_are_right(some: Drawn) -> None:  # .987
    assert rated(some.pixels, some.ratings, PACKAGED) >= 0.96
    assert rated(some.pixels, ["questionable"] * len(some.pixels), PACKAGED) <= 0.05  # never drawn


def test_quality_falls_as_a_drawing_is_spoilt(tmp_path: Path) -> None:  # .928, .765
    quality, brisque = judged(WORN, PACKAGED, tmp_path)
    assert quality >= 0.88 and brisque >= 0.68


def test_the_aesthetic_head_follows_what_it_was_taught(some: Drawn) -> None:  # .688
    vectors = SampleEncoder().pictures(some.pixels)
    told = SampleGraph(PACKAGED / "sample-aesthetic").run(vectors)["score"][:, 0]
    taught = np.array([appeal(sampling.scene(seed, SOME.style(seed))) for seed in SOME.seeds()])
    assert rank_correlation(told, taught) >= 0.6
