"""A wrong manifest is told what is wrong: the step, the parameter, and what would be right."""

import pickle

import pytest

from schemas.errors import ManifestError
from workers.steps.batch import BatchProgram
from workers.steps.program import InputProgram
from workers.steps.registry import Step, Value

WRONG: list[tuple[str, dict[str, Value], str]] = [
    ("resise", {"size": 224}, "'resise' does not exist; use one of: centre_crop, letterbox, pad_square, resize"),
    ("__import__", {}, "does not exist"),
    ("resize", {}, "lacks size: a side or"),
    ("resize", {"size": 0}, "size is 0, it must be a side or"),
    ("resize", {"size": 100_000}, "from 1 to 4096"),
    ("resize", {"size": True}, "size is True"),
    ("resize", {"size": (224,)}, "size is"),
    ("resize", {"size": "224 * 2"}, "size is '224 \\* 2'"),
    ("resize", {"size": 224, "filter": "cubic"}, "one of nearest, box, bilinear, bicubic, lanczos"),
    ("resize", {"size": 224, "reducing_gap": 0.5}, "a number from 1.0 to 8.0"),
    ("resize", {"size": 224, "gap": 2}, "has no parameter 'gap'; it takes: size, filter, reducing_gap"),
    ("pad_square", {"colour": (1, 2)}, "a grey level or three bands"),
    ("pad_square", {"colour": 256}, "a grey level or three bands"),
    ("pad_square", {"centred": 1}, "true or false"),
    ("shortest_side", {"size": (1, 2)}, "a whole number"),
]


@pytest.mark.parametrize(("op", "params", "message"), WRONG)
def test_a_wrong_image_step_is_refused(op: str, params: dict[str, Value], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        InputProgram((Step(op, params),), (224, 224))


@pytest.mark.parametrize(
    ("op", "params", "message"),
    [
        ("softmax", {}, "use one of: cast, normalise, scale, to_bgr, to_nchw"),
        ("scale", {}, "lacks factor"),
        ("scale", {"factor": "1/255"}, "factor is '1/255'"),
        ("scale", {"factor": float("nan")}, "factor is nan"),
        ("normalise", {"mean": (0.5, 0.5, 0.5)}, "lacks std"),
        ("normalise", {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.0, 0.5)}, "std is"),
        ("to_bgr", {"really": True}, "it takes: none"),
        ("cast", {"dtype": "int8"}, "one of float32, float16"),
    ],
)
def test_a_wrong_batch_step_is_refused(op: str, params: dict[str, Value], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        BatchProgram((Step(op, params),))


@pytest.mark.parametrize("size", [(0, 224), (224, 5000), (224,)])
def test_an_impossible_input_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ManifestError, match="height, width"):
        InputProgram((), size)


def test_programs_are_values() -> None:
    one = InputProgram((Step("pad_square"), Step("resize", {"size": 224, "filter": "bicubic"})), (224, 224))
    same = InputProgram((Step("pad_square"), Step("resize", {"filter": "bicubic", "size": 224})), (224, 224))
    assert one == same
    assert hash(one) == hash(same)
    assert pickle.loads(pickle.dumps(one)) == one
    assert {one: 1}[same] == 1


def test_lists_as_json_has_them_become_tuples() -> None:
    params: dict[str, Value] = {"size": [32, 48]}  # type: ignore[dict-item]
    assert Step("stretch", params) == Step("stretch", {"size": (32, 48)})
