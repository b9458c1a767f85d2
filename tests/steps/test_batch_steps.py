"""Batch steps make of uint8 RGB pixels what a graph takes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.errors import ManifestError
from workers.steps.batch import BatchProgram, Pixels, run_batch
from workers.steps.registry import Step, Value

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
IMAGENET: dict[str, Value] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def run(*steps: tuple[str, dict[str, Value]]) -> Pixels:
    return run_batch(PIXELS, BatchProgram(tuple(Step(op, params) for op, params in steps)))


def imagenet(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    mean, std = np.array(IMAGENET["mean"]), np.array(IMAGENET["std"])
    result: NDArray[np.float64] = (pixels / 255 - mean) / std
    return result


def test_a_yolo_takes_nchw_rgb_in_zero_to_one() -> None:
    found = run(("scale", {"factor": 1 / 255}), ("to_nchw", {}))
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, PIXELS.transpose(0, 3, 1, 2) / 255, rtol=1e-6)


def test_a_wd_tagger_takes_nhwc_bgr_as_it_is() -> None:
    found = run(("to_bgr", {}), ("cast", {}))
    assert found.dtype == np.float32
    assert np.array_equal(found, PIXELS[..., ::-1].astype(np.float32))


@pytest.mark.parametrize("nchw_first", [True, False])
def test_normalising_works_in_both_layouts(nchw_first: bool) -> None:
    values: list[tuple[str, dict[str, Value]]] = [("scale", {"factor": 1 / 255}), ("normalise", IMAGENET)]
    steps = [("to_nchw", {}), *values] if nchw_first else [*values, ("to_nchw", {})]
    np.testing.assert_allclose(run(*steps), imagenet(PIXELS).transpose(0, 3, 1, 2), rtol=1e-4, atol=1e-5)


def test_channels_are_reversed_in_both_layouts() -> None:
    assert np.array_equal(run(("to_nchw", {}), ("to_bgr", {})), run(("to_bgr", {}), ("to_nchw", {})))


def test_half_precision_is_a_cast() -> None:
    found = run(("scale", {"factor": 1 / 255}), ("cast", {"dtype": "float16"}))
    assert found.dtype == np.float16


def test_the_pixels_given_stay_as_they_are() -> None:
    before = PIXELS.copy()
    run(("cast", {}), ("scale", {"factor": 2.0}), ("normalise", IMAGENET))
    assert np.array_equal(PIXELS, before)
    assert run().dtype == np.uint8


@pytest.mark.parametrize("shape", [(4, 5, 3), (1, 4, 5, 4), (1, 3, 4, 5)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ManifestError, match=r"expected \(N, H, W, 3\) uint8"):
        run_batch(np.zeros(shape, np.uint8), BatchProgram())
