"""CLIP's preparation of pictures against transformers' Pillow processor and torchvision's transforms (R10, R65)."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torchvision import transforms
from transformers import CLIPImageProcessorPil
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD, PILImageResampling

from tests.pull import families
from tests.training import fed
from workers.onnx.model import OnnxModel

pytestmark = pytest.mark.training
SIDE = 224
# One unit of single precision at the largest value, 2.2, some ten times: the same sums in another order.
ROUNDING = 3e-6
SIZES = [
    (224, 224), (225, 224), (224, 225), (227, 224), (224, 227), (229, 224), (231, 224), (640, 480), (481, 640),
    (1023, 767), (1600, 900), (1920, 1081), (33, 17), (100, 100), (1, 1), (7, 3), (3000, 2000), (500, 63), (37, 290),
]  # fmt: skip
# Resize(224) and CenterCrop(224) on Pillow images, as OpenAI's own `clip.load` builds them and open_clip after it.
PUBLISHED = transforms.Compose(
    [
        transforms.Resize(SIDE, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(SIDE),
        transforms.ToTensor(),
        transforms.Normalize(OPENAI_CLIP_MEAN, OPENAI_CLIP_STD),
    ]
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return fed.model("Xenova/clip-vit-base-patch32", families.clip(tmp_path_factory.mktemp("clip")))


def published(picture: Image.Image) -> NDArray[np.float32]:
    return np.asarray(PUBLISHED(picture).numpy())


def by_transformers(picture: Image.Image) -> NDArray[np.float32]:
    """The Pillow backend, every argument said; the default one resizes by torchvision, up to .13 off."""
    processor = CLIPImageProcessorPil(
        do_resize=True, size={"shortest_edge": SIDE}, resample=PILImageResampling.BICUBIC,
        do_center_crop=True, crop_size={"height": SIDE, "width": SIDE},
        do_rescale=True, rescale_factor=1 / 255,
        do_normalize=True, image_mean=OPENAI_CLIP_MEAN, image_std=OPENAI_CLIP_STD,
    )  # fmt: skip
    return np.asarray(processor(images=picture, return_tensors="np")["pixel_values"][0], np.float32)


def margins(size: tuple[int, int]) -> tuple[int, int]:
    """What the crop takes off in all, across and down, after the shorter side has become 224."""
    short = min(size)
    return SIDE * size[0] // short - SIDE, SIDE * size[1] // short - SIDE


@pytest.mark.parametrize("size", SIZES)
def test_pictures_are_prepared_as_openai_published_it(clip: OnnxModel, size: tuple[int, int]) -> None:
    picture = fed.picture(*size)
    np.testing.assert_allclose(fed.fed(clip, picture)[0], published(picture), atol=ROUNDING)


@pytest.mark.parametrize("size", SIZES)
def test_pictures_are_prepared_as_by_transformers_but_for_a_pixel(clip: OnnxModel, size: tuple[int, int]) -> None:
    # transformers halves an odd margin downwards, torchvision (and so we) to the even number: of a margin of 3, 7, 11 …
    # ours leaves out one pixel more before, and one less after.
    picture = fed.picture(*size)
    found, wanted = fed.fed(clip, picture)[0], by_transformers(picture)
    right, below = (int(margin % 4 == 3) for margin in margins(size))
    np.testing.assert_allclose(found[:, : SIDE - below, : SIDE - right], wanted[:, below:, right:], atol=ROUNDING)
    if right or below:
        assert np.abs(found - wanted).max() > 0.5


def test_the_sizes_hold_margins_of_every_kind() -> None:
    kinds = {margin % 4 for size in SIZES for margin in margins(size) if margin}
    assert kinds == {0, 1, 2, 3}


@pytest.mark.parametrize("size", [(3000, 56), (56, 3000), (2240, 112)])
def test_of_long_pictures_the_middle_is_the_same_where_it_falls_on_whole_pixels(
    clip: OnnxModel, size: tuple[int, int]
) -> None:
    # We cut the middle out before resizing (a line of 30,000 pixels would grow to 6,720,000 columns). The short side
    # divides 224 here, so that the cut lies on a whole pixel after resizing too.
    picture = fed.picture(*size)
    np.testing.assert_allclose(fed.fed(clip, picture)[0], published(picture), atol=ROUNDING)


@pytest.mark.parametrize("size", [(2003, 97), (61, 1501), (3000, 2)])
def test_of_other_long_pictures_it_is_shifted_by_less_than_a_pixel(clip: OnnxModel, size: tuple[int, int]) -> None:
    picture = fed.smooth(*size)
    found, wanted = fed.fed(clip, picture)[0], published(picture)
    steepest = max(np.abs(np.diff(wanted, axis=axis)).max() for axis in (1, 2))
    assert np.abs(found - wanted).max() <= 1.5 * steepest
