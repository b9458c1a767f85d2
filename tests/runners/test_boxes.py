"""Non-maximum suppression against two independent references (R4)."""

from itertools import product

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from workers.detection.boxes import Candidates, iou, suppress


def random_boxes(seed: int, count: int, classes: int) -> Candidates:
    random = np.random.default_rng(seed)
    # Clusters, as a real head proposes them: many boxes around a few things.
    centres = random.uniform(0, 100, (12, 2))[random.integers(0, 12, count)] + random.normal(0, 3, (count, 2))
    half = random.uniform(12, 18, (count, 2))
    return Candidates(
        np.concatenate([centres - half, centres + half], axis=1).astype(np.float32),
        random.permutation(np.linspace(0.01, 0.99, count)).astype(np.float32),
        random.integers(0, classes, count).astype(np.int16),
    )


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union, written out for two boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    inter = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if union > 0 else 0.0


def plainly(found: Candidates, limit: float, class_aware: bool) -> list[int]:
    """The definition, box by box."""
    boxes, labels = found.boxes.tolist(), found.labels.tolist()
    kept: list[int] = []
    for row in sorted(range(len(found)), key=lambda n: -found.scores[n]):
        rivals = [k for k in kept if not class_aware or labels[k] == labels[row]]
        if all(overlap(boxes[row], boxes[k]) <= limit for k in rivals):
            kept.append(row)
    return kept


def by_operator(found: Candidates, limit: float, classes: int, most: int) -> list[tuple[int, int]]:
    """ONNX's own NonMaxSuppression, which is class-aware: (label, row) pairs."""
    node = helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "limit"], ["kept"])
    count = len(found)
    graph = helper.make_graph(
        [node],
        "nms",
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, count, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, classes, count]),
            helper.make_tensor_value_info("most", TensorProto.INT64, [1]),
            helper.make_tensor_value_info("limit", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("kept", TensorProto.INT64, [None, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    # A box may only be chosen for its own class: the operator drops scores that are not above score_threshold = 0.
    scores = np.zeros((1, classes, count), np.float32)
    scores[0, found.labels, np.arange(count)] = found.scores
    scores[scores == 0] = -1
    node_inputs = {
        "boxes": found.boxes[None],
        "scores": scores,
        "most": np.array([most]),
        "limit": np.array([limit], np.float32),
    }
    kept = session.run(None, node_inputs)[0]
    return [(int(label), int(row)) for _, label, row in kept if scores[0, label, row] > 0]


@pytest.mark.parametrize(("seed", "limit", "aware"), list(product(range(6), (0.3, 0.5, 0.7), (True, False))))
def test_suppression_equals_its_definition(seed: int, limit: float, aware: bool) -> None:
    found = random_boxes(seed, 150, 4)
    kept = suppress(found, iou_above=limit, class_aware=aware, most=1000)
    assert kept.tolist() == plainly(found, limit, aware)
    assert len(kept) < len(found)


@pytest.mark.parametrize(("seed", "limit"), list(product(range(10, 16), (0.3, 0.5, 0.7))))
def test_class_aware_suppression_equals_the_onnx_operator(seed: int, limit: float) -> None:
    found = random_boxes(seed, 200, 5)
    kept = suppress(found, iou_above=limit, class_aware=True, most=1000)
    pairs = [(int(found.labels[row]), int(row)) for row in kept]
    assert sorted(pairs) == sorted(by_operator(found, limit, 5, 1000))
    assert 0 < len(pairs) < 200


@pytest.mark.parametrize("limit", [0.3, 0.7])
def test_class_agnostic_suppression_equals_the_onnx_operator_on_one_class(limit: float) -> None:
    found = random_boxes(20, 200, 5)
    single = Candidates(found.boxes, found.scores, np.zeros_like(found.labels))
    kept = suppress(found, iou_above=limit, class_aware=False, most=1000)
    assert sorted((0, int(row)) for row in kept) == sorted(by_operator(single, limit, 1, 1000))


def test_a_threshold_after_suppression_gives_what_one_before_it_gives() -> None:
    found = random_boxes(30, 200, 3)
    late = suppress(found, iou_above=0.5, class_aware=True, most=1000)
    above = np.flatnonzero(found.scores >= 0.4)
    early = above[suppress(found.take(above), iou_above=0.5, class_aware=True, most=1000)]
    assert late[found.scores[late] >= 0.4].tolist() == early.tolist()


def test_at_most_so_many_boxes_are_kept_and_they_are_the_best() -> None:
    found = random_boxes(40, 200, 3)
    every = suppress(found, iou_above=0.5, class_aware=True, most=1000)
    assert suppress(found, iou_above=0.5, class_aware=True, most=7).tolist() == every[:7].tolist()


def test_boxes_without_area_share_nothing() -> None:
    point = np.array([5, 5, 5, 5], np.float32)
    assert iou(point, point[None]).tolist() == [0.0]


def test_no_candidates_are_no_boxes() -> None:
    assert suppress(random_boxes(1, 0, 1), iou_above=0.5, class_aware=True, most=10).tolist() == []
