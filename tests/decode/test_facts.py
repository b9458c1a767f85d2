"""Thumbnail, perceptual hash and colours of a decoded picture."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.decode.pictures import corners, noise, save
from workers.decode.facts import THUMBNAIL_SIDE, describe
from workers.decode.limits import DecodeLimits
from workers.decode.palette import NAMES, dominant_colours, oklab
from workers.decode.phash import distance, perceptual_hash
from workers.decode.pixels import decode


def scene(seed: int) -> Image.Image:
    """A smooth picture with structure at several sizes."""
    small = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8))
    return small.resize((640, 480), Image.Resampling.BICUBIC)


def hashed(image: Image.Image) -> int:
    return perceptual_hash(image.convert("L"))


def test_the_hash_is_the_signs_of_the_lowest_frequencies() -> None:
    # A cosine of frequency (1, 1) is the first coefficient: the highest bit, which makes the integer negative.
    wave = np.cos(np.pi * (2 * np.arange(32) + 1) / 64)
    picture = Image.fromarray((128 + 100 * np.outer(wave, wave)).round().astype(np.uint8))
    assert hashed(picture) < 0
    assert -(2**63) <= hashed(picture) < 2**63


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: image.resize((320, 240)),
        lambda image: image.resize((900, 500)),
        lambda image: Image.open(BytesIO(save(image, "JPEG", quality=30))),
        lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        lambda image: image.point(lambda value: int(value * 0.8 + 20)),
    ],
    ids=["half", "squeezed", "recompressed", "blurred", "paler"],
)
@pytest.mark.parametrize("seed", range(4))
def test_like_pictures_have_near_hashes(changed, seed: int) -> None:  # type: ignore[no-untyped-def]
    assert distance(hashed(scene(seed)), hashed(changed(scene(seed)))) <= 6


def test_different_pictures_have_far_hashes() -> None:
    hashes = [hashed(scene(seed)) for seed in range(20)]
    distances = [distance(one, other) for one in hashes for other in hashes if one != other]
    assert min(distances) > 12


def test_flat_pictures_hash_to_zero() -> None:
    assert {hashed(Image.new("RGB", (50, 40), grey)) for grey in ("black", "white", "#777777")} == {0}


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("red", "red"),
        ("darkred", "red"),
        ("orange", "orange"),
        ("darkorange", "orange"),
        ("yellow", "yellow"),
        ("gold", "yellow"),
        ("green", "green"),
        ("lime", "green"),
        ("olivedrab", "green"),
        ("teal", "teal"),
        ("turquoise", "teal"),
        ("blue", "blue"),
        ("navy", "blue"),
        ("skyblue", "blue"),
        ("steelblue", "blue"),
        ("purple", "purple"),
        ("indigo", "purple"),
        ("mediumorchid", "purple"),
        ("pink", "pink"),
        ("hotpink", "pink"),
        ("deeppink", "pink"),
        ("saddlebrown", "brown"),
        ("sienna", "brown"),
        ("peru", "brown"),
        ("black", "black"),
        ("#0a0a0c", "black"),
        ("gray", "grey"),
        ("silver", "grey"),
        ("dimgray", "grey"),
        ("white", "white"),
        ("snow", "white"),
    ],
)
def test_colours_have_the_names_that_people_use(colour: str, name: str) -> None:
    image = Image.new("RGB", (40, 40), colour)
    (found,) = dominant_colours(image)
    assert (found.name, found.share) == (name, 1.0)
    assert found.rgb == image.getpixel((0, 0))


def test_shares_are_of_the_picture_and_fall() -> None:
    image = Image.new("RGB", (400, 100), "blue")
    image.paste((255, 255, 255), (300, 0, 400, 100))
    found = dominant_colours(image)
    assert [colour.name for colour in found] == ["blue", "white"]
    assert [colour.share for colour in found] == [0.75, 0.25]


def test_colours_of_anything_are_from_the_closed_palette() -> None:
    found = dominant_colours(noise(50, 50))
    assert {colour.name for colour in found} <= set(NAMES)
    assert 0 < sum(colour.share for colour in found) <= 1


def test_oklab_agrees_with_its_authors_examples() -> None:
    white, red = oklab(np.array([[255, 255, 255], [255, 0, 0]], np.uint8))
    assert white == pytest.approx([1.0, 0.0, 0.0], abs=1e-4)
    assert red == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)


@pytest.mark.parametrize(
    ("size", "thumbnail"), [((2000, 1000), (512, 256)), ((30, 3000), (6, 600)), ((40, 30), (40, 30))]
)
def test_a_thumbnail_fits_and_is_never_enlarged(size: tuple[int, int], thumbnail: tuple[int, int]) -> None:
    facts = describe(decode(save(corners(*size), "PNG"), DecodeLimits()))
    assert (facts.width, facts.height) == size
    with Image.open(BytesIO(facts.thumbnail)) as image:
        assert image.size == thumbnail
        assert max(image.size) <= THUMBNAIL_SIDE * 5 // 4


def test_the_smallest_picture_has_facts() -> None:
    facts = describe(decode(save(Image.new("RGB", (1, 1), "red"), "PNG"), DecodeLimits()))
    assert facts.colours[0].name == "red"
    assert facts.format == "png"
