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


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _one_of(*choices: str) -> Kind:
    return Kind("one of " + ", ".join(repr(each) for each in choices), lambda value: value in choices)


SHARE = Kind("a number in 0..1", lambda value: _number(value) and 0 <= value <= 1)
FILE = Kind("the path of one of source.files", lambda value: isinstance(value, str) and bool(value))
MODEL = Kind("a model's id", lambda value: isinstance(value, str) and value.count("/") == 1)
TEXT = Kind("a text", lambda value: isinstance(value, str) and bool(value))
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
CAPTION_DECODINGS: Operations = {
    "greedy": {
        "decoder": Parameter(FILE, "decoder.onnx"),
        "tokenizer": Parameter(FILE, "tokenizer.json"),
        "max_tokens": Parameter(COUNT, 50),
    }
}
_PADDING = {
    "length": Parameter(Kind("a whole number, 0 where the tokenizer's file says it", _whole), 0),
    "pad_id": Parameter(Kind("the id of the token that fills up", _whole), 0),
}
# text: the graph of the other half, "" when there is none; text_output: the name of its vectors.
VECTOR_DECODINGS: Operations = {
    "unit": {
        "text": Parameter(
            Kind("the path of one of source.files, or nothing", lambda value: isinstance(value, str)), ""
        ),
        "tokenizer": Parameter(FILE, "tokenizer.json"),
        **_PADDING,
        "text_output": Parameter(Kind("the name of an output", lambda value: isinstance(value, str)), "embedding"),
    }
}
SCORE_DECODINGS: Operations = {"figure": {}, "distribution": {}}
_COSINE = {
    "embedding": Parameter(MODEL),
    "caption": Parameter(MODEL),
    "tokenizer": Parameter(FILE, "tokenizer.json"),
    **_PADDING,
}
# prompt: what is put before each caption, with the space behind it.
CLIP_SCORE_DECODINGS: Operations = {
    "cosine": _COSINE,
    "prompted_cosine": {**_COSINE, "prompt": Parameter(TEXT)},
}
HEAD_DECODINGS: Operations = {"figure": {"embedding": Parameter(MODEL)}}
DECODINGS: Mapping[str, Operations] = {
    "tagger": TAG_DECODINGS,
    "detector": DETECTION_DECODINGS,
    "captioner": CAPTION_DECODINGS,
    "blip": {"generate": {"max_tokens": Parameter(COUNT, 50)}},
    "reader": {"lines": {}},
    "embedder": VECTOR_DECODINGS,
    "scorer": SCORE_DECODINGS,
    "clip_score": CLIP_SCORE_DECODINGS,
    "vector_scorer": HEAD_DECODINGS,
}
# Runners that take stored answers of the models named by these parameters, and no picture.
FROM_ANSWERS: Mapping[str, tuple[str, ...]] = {"clip_score": ("embedding", "caption"), "vector_scorer": ("embedding",)}
