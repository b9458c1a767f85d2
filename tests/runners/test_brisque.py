"""BRISQUE's 36 features against the published definition (R22), computed here a second time in float64.

The reference is Mittal, Moorthy and Bovik, "No-reference image quality assessment in the spatial domain" (2012), with
the choices of the authors' MATLAB code: 7 × 7 Gaussian of deviation 7/6 with replicated borders, C = 1, shapes
.2, .201 … 10 by moment matching, neighbours taken around the border, the second scale by antialiased bicubic halving.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.models.catalogue import open_catalogue
from training.samples import draw
from training.samples.preprocess import for_judge
from workers.runners import Opening

Doubles = NDArray[np.float64]
SHAPES = np.arange(0.2, 10.0005, 0.001)
GAMMA = np.vectorize(math.gamma)
RATIOS = GAMMA(2 / SHAPES) ** 2 / (GAMMA(1 / SHAPES) * GAMMA(3 / SHAPES))


def window() -> Doubles:
    y, x = np.mgrid[-3:4, -3:4]
    weights = np.exp(-(x**2 + y**2) / (2 * (7 / 6) ** 2))
    return np.asarray(weights / weights.sum())


def filtered(image: Doubles) -> Doubles:
    padded = np.pad(image, 3, mode="edge")
    return np.asarray(np.einsum("ijkl,kl->ij", np.lib.stride_tricks.sliding_window_view(padded, (7, 7)), window()))


def fitted(values: Doubles) -> tuple[float, float, float]:
    left = math.sqrt(np.mean(values[values < 0] ** 2))
    right = math.sqrt(np.mean(values[values > 0] ** 2))
    ratio = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    both = left / right
    normed = ratio * (both**3 + 1) * (both + 1) / (both**2 + 1) ** 2
    return float(SHAPES[np.argmin((RATIOS - normed) ** 2)]), left, right


def one_scale(image: Doubles) -> list[float]:
    mean = filtered(image)
    spread = np.sqrt(np.abs(filtered(image * image) - mean * mean))
    structure = (image - mean) / (spread + 1)
    shape, left, right = fitted(structure)
    features = [shape, (left**2 + right**2) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (-1, 1)):
        shape, left, right = fitted(structure * np.roll(structure, shift, (0, 1)))
        constant = math.sqrt(math.gamma(1 / shape)) / math.sqrt(math.gamma(3 / shape))
        mean_of = (right - left) * (math.gamma(2 / shape) / math.gamma(1 / shape)) * constant
        features += [shape, mean_of, left**2, right**2]
    return features


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def halved(image: Doubles) -> Doubles:
    """Half the size; each new pixel is a weighted mean of eight along each axis, borders mirrored."""
    weights = np.array([cubic((tap - 3.5) / 2) for tap in range(8)])
    weights /= weights.sum()
    padded = np.pad(image, 3, mode="symmetric")
    rows = np.lib.stride_tricks.sliding_window_view(padded, 8, axis=0)[::2] @ weights
    return np.asarray(np.lib.stride_tricks.sliding_window_view(rows, 8, axis=1)[:, ::2] @ weights)


def published(pixels: NDArray[np.uint8]) -> Doubles:
    grey = np.round(pixels.astype(np.float64) @ [0.298936021293775, 0.587043074451121, 0.114020904255103])
    return np.array(one_scale(grey) + one_scale(halved(grey)))


@pytest.fixture(scope="module")
def session() -> object:
    installed = open_catalogue().install("nafuda/sample-brisque")
    return Opening(installed.manifest, installed.paths, ["cpu"]).session()


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_features_are_those_of_the_published_definition(session: object, seed: int) -> None:
    crop = for_judge(draw(seed).image)
    random = np.random.default_rng(seed)
    noisy = np.clip(crop + random.normal(0, 12, crop.shape), 0, 255).astype(np.uint8)
    for pixels in (noisy, random.integers(0, 256, crop.shape, np.uint8)):
        found = session.run({"image": pixels[None]})["features"][0]  # type: ignore[attr-defined]
        wanted = published(pixels)
        shapes = np.arange(36) % 18
        places = np.isin(shapes, (0, 2, 6, 10, 14))  # shapes come in steps of .001
        assert np.abs(found[places] - wanted[places]).max() <= 0.0021
        assert np.allclose(found[~places], wanted[~places], rtol=2e-3, atol=2e-4)


def test_a_flat_picture_has_finite_features_and_a_score(session: object) -> None:
    found = session.run({"image": np.full((1, 256, 256, 3), 200, np.uint8)})  # type: ignore[attr-defined]
    assert np.isfinite(found["features"]).all() and 0 <= found["score"][0, 0] <= 100
