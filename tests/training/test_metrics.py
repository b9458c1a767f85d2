"""The measures by hand-made examples."""

import numpy as np
import pytest

from training.samples.metrics import Found, average_precision, best_threshold, f1, hits, iou, suppress


def found(*rows: tuple[float, float, float, float, float, int]) -> Found:
    """Detections from `x0, y0, x1, y1, score, label` rows."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Found(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def test_f1_counts_over_all_cells() -> None:
    assert f1(np.array([[True, True, False]]), np.array([[True, False, True]])) == pytest.approx(0.5)


def test_the_best_threshold_separates() -> None:
    scores = np.array([[0.2, 0.7], [0.4, 0.9]], np.float32)
    threshold, value = best_threshold(scores, scores > 0.5)
    assert 0.4 < threshold <= 0.7 and value == 1.0


def test_iou_of_half_overlap_is_a_third() -> None:
    a, b = np.array([[0, 0, 2, 1]], np.float32), np.array([[1, 0, 3, 1]], np.float32)
    assert iou(a, b)[0, 0] == pytest.approx(1 / 3)


def test_suppression_keeps_the_better_of_a_class_and_other_classes() -> None:
    kept = suppress(found((0, 0, 10, 10, 0.6, 0), (0, 0, 10, 10, 0.9, 0), (0, 0, 10, 10, 0.5, 1)), 0.5)
    assert [(round(float(s), 1), int(c)) for s, c in zip(kept.scores, kept.labels, strict=True)] == [(0.9, 0), (0.5, 1)]


def test_average_precision_of_a_hit_above_and_below_a_miss() -> None:
    truth = [found((0, 0, 10, 10, 1, 0), (20, 20, 30, 30, 1, 0))]
    guess = [found((0, 0, 10, 10, 0.9, 0), (50, 50, 60, 60, 0.8, 0), (20, 20, 30, 30, 0.7, 0))]
    assert average_precision(guess, truth, 0) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert hits(guess[0], truth[0]) == 2


def test_a_class_that_never_occurs_has_no_average_precision() -> None:
    assert average_precision([found()], [found()], 3) is None
