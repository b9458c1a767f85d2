"""BRISQUE's 36 features, as the shipped graph gives them, against piq (Apache-2.0), which follows the same MATLAB code
(R22). Its regressor must be downloaded, so only features are compared.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from piq.brisque import _natural_scene_statistics
from piq.functional import imresize, rgb2yiq

from infra.models.catalogue import open_catalogue
from tests.training import fed
from training.samples import draw
from training.samples.judge import BrisqueFeatures
from training.samples.preprocess import for_judge
from workers.runners import Opening

pytestmark = pytest.mark.training
Features = Callable[[NDArray[np.uint8], int], NDArray[np.float64]]
SIDE = 256
# Of the 18 features of a scale: the first two, and the shapes of the four directions, which come in steps of .001.
WHOLE, SHAPES = [0, 1], [2, 6, 10, 14]
REST = [n for n in range(18) if n not in WHOLE + SHAPES]


def pictures(grey: bool) -> NDArray[np.uint8]:
    """Noise, and grainy and blurred drawings: nowhere flat, as rounding alone decides what a flat place counts as."""
    random = np.random.default_rng(6)
    drawn = np.asarray(for_judge(draw(3).image), np.float64)
    small = for_judge(draw(3).image)[::4, ::4]
    blurred = np.asarray(Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float64)
    grainy = [np.clip(base + random.normal(0, 9, base.shape), 0, 255).astype(np.uint8) for base in (drawn, blurred)]
    stack = np.stack([np.asarray(fed.picture(SIDE, SIDE)), *grainy])
    return np.repeat(stack[..., 1:2], 3, axis=3) if grey else stack


def framed(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """With a black edge. Around a picture piq assumes black, where the published code repeats the edge: of a black edge
    these are the same. One pixel does it for the first scale, five for the second, whose filter reaches further."""
    inner = np.zeros((1, SIDE, SIDE, 1), np.uint8)
    inner[:, width:-width, width:-width] = 1
    return pixels * inner


def shipped(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    installed = open_catalogue().install("nafuda/sample-brisque")
    session = Opening(installed.manifest, installed.paths, ["cpu"]).session()
    return np.asarray(session.run({"image": pixels})["features"], np.float64)


def source(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What would be shipped next."""
    return np.asarray(BrisqueFeatures()(torch.from_numpy(pixels)).numpy(), np.float64)


@pytest.fixture(params=[shipped, source])
def ours(request: pytest.FixtureRequest) -> Features:
    def one_scale(pixels: NDArray[np.uint8], scale: int) -> NDArray[np.float64]:
        features: NDArray[np.float64] = request.param(pixels)[:, 18 * scale : 18 * (scale + 1)]
        return features

    return one_scale


def theirs(pixels: NDArray[np.uint8], scale: int) -> NDArray[np.float64]:
    grey = torch.round(rgb2yiq(torch.from_numpy(pixels).permute(0, 3, 1, 2).double())[:, :1])
    grey = grey if scale == 0 else imresize(grey, sizes=(SIDE // 2, SIDE // 2))
    return np.asarray(_natural_scene_statistics(grey).reshape(len(pixels), 18).numpy())


@pytest.mark.parametrize(("scale", "edge"), [(0, 1), (1, 5)])
def test_the_features_of_grey_pictures_are_equal(ours: Features, scale: int, edge: int) -> None:
    pixels = framed(pictures(grey=True), edge)
    found, wanted = ours(pixels, scale), theirs(pixels, scale)
    # Half a step; and single precision against double, where of a blurred picture little is left after the mean.
    np.testing.assert_allclose(found[:, SHAPES], wanted[:, SHAPES], atol=5e-4)
    np.testing.assert_allclose(found[:, REST], wanted[:, REST], rtol=2e-5, atol=4e-5)


@pytest.mark.parametrize(("scale", "edge"), [(0, 1), (1, 5)])
def test_those_of_coloured_pictures_but_for_the_rounding_of_grey(ours: Features, scale: int, edge: int) -> None:
    # Their weights of red, green and blue have three digits, ours (MATLAB's) fifteen: some greys round to a neighbour.
    pixels = framed(pictures(grey=False), edge)
    found, wanted = ours(pixels, scale), theirs(pixels, scale)
    np.testing.assert_allclose(found[:, SHAPES], wanted[:, SHAPES], atol=1.5e-3)  # one step
    np.testing.assert_allclose(found[:, REST], wanted[:, REST], rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(("scale", "edge"), [(0, 1), (1, 5)])
def test_the_first_two_are_near_as_piq_fits_both_sides_at_once(ours: Features, scale: int, edge: int) -> None:
    # The paper's text says a symmetric fit, which piq follows; its MATLAB code fits left and right apart and takes the
    # mean of their variances, as we do.
    pixels = framed(pictures(grey=True), edge)
    found, wanted = ours(pixels, scale)[:, WHOLE], theirs(pixels, scale)[:, WHOLE]
    np.testing.assert_allclose(found, wanted, rtol=0.02)
