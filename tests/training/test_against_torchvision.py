"""Non-maximum suppression against torchvision's (R4), over boxes as heads propose them and over awkward ones."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import batched_nms, nms

from workers.detection.boxes import Candidates, suppress

pytestmark = pytest.mark.training
ALL = 10_000


def ours(found: Candidates, limit: float, aware: bool) -> list[int]:
    return [int(row) for row in suppress(found, iou_above=limit, class_aware=aware, most=ALL)]


def theirs(found: Candidates, limit: float, aware: bool) -> list[int]:
    boxes, scores = torch.from_numpy(found.boxes), torch.from_numpy(found.scores)
    if aware:
        labels = torch.from_numpy(found.labels.astype(np.int64))
        kept = [int(row) for row in batched_nms(boxes, scores, labels, limit)]
        # Class by class, its last sort is not a stable one: boxes of equal scores come in any order.
        return sorted(kept, key=lambda row: (-found.scores[row], row))
    return [int(row) for row in nms(boxes, scores, limit)]


def clusters(seed: int, count: int, classes: int) -> Candidates:
    """Many boxes around a few things. Corners lie on sixteenths of a pixel and scores come again, so that ties occur
    and torchvision's way of keeping classes apart, which adds multiples of the largest corner, rounds nothing."""
    random = np.random.default_rng(seed)
    centres = random.uniform(40, 600, (12, 2))[random.integers(0, 12, count)] + random.normal(0, 8, (count, 2))
    half = random.uniform(5, 60, (count, 2))
    boxes = np.round(np.concatenate([centres - half, centres + half], axis=1) * 16) / 16
    return Candidates(
        boxes.astype(np.float32),
        np.round(random.uniform(0.05, 1, count), 2).astype(np.float32),
        random.integers(0, classes, count).astype(np.int16),
    )


# batched_nms moves classes apart below 1,000 boxes and goes class by class above.
@pytest.mark.parametrize("count", [1, 2, 300, 1500])
@pytest.mark.parametrize("limit", [0.3, 0.45, 0.5, 0.7])
@pytest.mark.parametrize("aware", [True, False])
def test_the_same_boxes_stay_in_the_same_order(count: int, limit: float, aware: bool) -> None:
    for seed in range(5):
        found = clusters(seed, count, 4)
        assert ours(found, limit, aware) == theirs(found, limit, aware)


SMALL = st.integers(0, 4)
# Corners from five values: identical, nested and touching boxes, lines and points all come up.
AWKWARD = st.tuples(SMALL, SMALL, SMALL, SMALL).map(
    lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
)


@given(
    st.lists(st.tuples(AWKWARD, st.sampled_from([0.25, 0.5, 0.75]), st.integers(0, 2)), max_size=12),
    st.sampled_from([0.0, 0.25, 0.5, 0.7, 0.75, 1.0]),
    st.booleans(),
)
@settings(max_examples=1500, deadline=None)
def test_awkward_boxes_and_ties_end_the_same(
    rows: list[tuple[tuple[int, int, int, int], float, int]], limit: float, aware: bool
) -> None:
    found = Candidates(
        np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([label for _, _, label in rows], np.int16),
    )
    assert ours(found, limit, aware) == theirs(found, limit, aware)


def pair(width: int, total: int) -> Candidates:
    """A long box, and a better one within it whose overlap with it is width / total."""
    boxes = np.array([[0, 0, total, 1], [0, 0, width, 1]], np.float32)
    return Candidates(boxes, np.array([0.5, 0.9], np.float32), np.zeros(2, np.int16))


@pytest.mark.parametrize(("width", "total", "limit"), [(1, 4, 0.25), (1, 2, 0.5), (3, 4, 0.75), (7, 10, 0.7)])
def test_an_overlap_of_exactly_the_limit_is_not_above_it(width: int, total: int, limit: float) -> None:
    found = pair(width, total)
    assert ours(found, limit, False) == theirs(found, limit, False) == [1, 0]


def test_torchvision_calls_three_tenths_more_than_three_tenths() -> None:
    # A deviation on the CPU: it compares an overlap in single precision (.3 becomes .30000001) with a limit in double
    # precision, so a box of exactly the limit goes where single precision rounds up. Ours compares like with like.
    for width, limit in ((3, 0.3), (6, 0.6)):
        found = pair(width, 10)
        assert ours(found, limit, False) == [1, 0]
        assert theirs(found, limit, False) == [1]
