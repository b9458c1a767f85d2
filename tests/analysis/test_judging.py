"""A runner over other models' answers that fails costs only the image that it fails on (R42)."""

from collections.abc import Sequence

import numpy as np

from schemas.errors import NafudaError, PermanentError
from schemas.models import Label
from schemas.results import ModelOutput
from workers.analysis.analysis import judge_each
from workers.scoring.answers import Answers

CAPTION = "captioner"


class Strict:
    """Scores the length of a caption; the runtime below it raises for a whole batch that holds an empty one."""

    labels = (Label("clip_score", "score"),)
    wants = (CAPTION,)
    providers = ("cpu",)

    def judge(self, images: Sequence[Answers]) -> list[ModelOutput | NafudaError]:
        lengths = [len((image[CAPTION].texts or ("",))[0]) for image in images]
        if 0 in lengths:
            raise ValueError("inhomogeneous shape")
        ones = np.ones(1, np.float32)
        return [ModelOutput(np.zeros(1, np.int16), ones, figures=ones * length) for length in lengths]


def said(text: str) -> Answers:
    return {CAPTION: ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), texts=(text,))}


def test_one_image_that_breaks_the_runtime_fails_alone() -> None:
    found = judge_each(Strict(), [said(text) for text in ("a", "bb", "", "dddd", "eeeee")])
    figures = [each.figures[0] for each in found if isinstance(each, ModelOutput) and each.figures is not None]
    assert figures == [1, 2, 4, 5]
    broken = found[2]
    assert isinstance(broken, PermanentError) and broken.code == "bad-output" and "inhomogeneous" in str(broken)
