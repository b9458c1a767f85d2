"""ICC profiles: the colours that a file means, as sRGB."""

from collections.abc import Callable
from functools import lru_cache, partial
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

# Two levels of 255 are below what anybody sees, and above the rounding of a round trip.
SAME = 2
MAX_PROFILE_BYTES = 4 * 2**20

_USELESS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str]:
    """An 8-bit image (L, RGB, CMYK, YCbCr or LAB) as RGB in sRGB, and a note when its profile was of no use.

    May change the image in place.
    """
    note = ""
    if image.mode not in _SPACES:
        image = image.convert("RGB")
    if profile and image.mode != "LAB":
        try:
            transform = _transform(profile, image.mode)
        except _USELESS:
            note = "colour profile: cannot be used, sRGB was assumed"
        else:
            return _apply(image, transform), note
    if image.mode == "LAB":
        return _apply(image, _lab()), note
    return image.convert("RGB") if image.mode != "RGB" else image, note


def srgb_later(profile: bytes) -> Callable[[Image.Image], Image.Image] | None:
    """How to make a copy of an RGB image in sRGB, or None when there is nothing to do, or nothing that can be done.

    Correcting costs 11 ms a megapixel, as much as decoding: it is for what is left after shrinking.
    """
    try:
        transform = _transform(profile, "RGB")
    except _USELESS:
        return None
    return None if transform is None else partial(_converted, transform=transform)


def _converted(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise OSError("the colour profile made no picture")
    return converted


def _apply(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    if transform is None:
        return image
    if image.mode == "RGB":
        ImageCms.applyTransform(image, transform, inPlace=True)
        return image
    return _converted(image, transform)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way to sRGB, or None when the profile is sRGB in all but name, as most are."""
    if len(profile) > MAX_PROFILE_BYTES:
        raise ValueError("profile too large")
    opened = ImageCms.ImageCmsProfile(BytesIO(profile))
    if opened.profile.xcolor_space != _SPACES[mode]:
        raise ValueError(f"a profile for {opened.profile.xcolor_space} on a picture in {mode}")
    transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    return None if mode == "RGB" and _changes_nothing(transform) else transform


@lru_cache(maxsize=1)
def _lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, 6).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(6, 36, 3)
    probe = Image.fromarray(cube)
    ImageCms.applyTransform(probe, transform, inPlace=True)
    return int(np.abs(np.asarray(probe).astype(np.int16) - cube).max()) <= SAME
