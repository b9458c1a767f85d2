"""Decodings as data: which ways of reading an output each runner knows, and what parameters they take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from schemas.models import StepValue

Test = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of parameter: what is allowed in words, and the test for it."""

    allowed: str
    test: Test


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation; without a default it must be given."""

    kind: Kind
    default: StepValue | None = None


def _number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(*choices: str) -> Kind:
    return Kind("one of " + ", ".join(repr(each) for each in choices), lambda value: value in choices)


SHARE = Kind("a number in 0..1", lambda value: _number(value) and 0 <= value <= 1)
COUNT = Kind("a whole number >= 1", lambda value: isinstance(value, int) and _number(value) and value >= 1)

Operations = Mapping[str, Mapping[str, Parameter]]

TAG_DECODINGS: Operations = {"probabilities": {}, "sigmoid": {}, "softmax": {}}
DETECTION_DECODINGS: Operations = {
    "yolo": {
        "head": Parameter(_one_of("auto", "anchor_free", "anchor_based", "end_to_end"), "auto"),
        "nms": Parameter(_one_of("class_aware", "class_agnostic"), "class_aware"),
        "iou": Parameter(SHARE, 0.7),
        "max_boxes": Parameter(COUNT, 300),
    }
}
DECODINGS: Mapping[str, Operations] = {"tagger": TAG_DECODINGS, "detector": DETECTION_DECODINGS}
