"""From bytes to an upright RGB picture in sRGB: pure, and meant to run where a crash costs one image."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from schemas.errors import RefusedError
from workers.decode.claims import check_frames, check_size, claims, truncated
from workers.decode.limits import DecodeLimits
from workers.decode.profiles import srgb_later, to_srgb
from workers.decode.sniff import Format, sniff
from workers.steps.image import Correct

ORIENTATION = 0x0112

# What to do for each value of EXIF's orientation (CIPA DC-008, table of tag 274); 1 is upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# The only parsers that ever see a stranger's bytes. A JPEG with several pictures (MPO) is read as its first.
_PARSERS: Mapping[Format, type[ImageFile.ImageFile]] = {
    Format.JPEG: JpegImagePlugin.JpegImageFile,
    Format.PNG: PngImagePlugin.PngImageFile,
    Format.WEBP: WebPImagePlugin.WebPImageFile,
    Format.AVIF: AvifImagePlugin.AvifImageFile,
    Format.GIF: GifImagePlugin.GifImageFile,
    Format.TIFF: TiffImagePlugin.TiffImageFile,
    Format.BMP: BmpImagePlugin.BmpImageFile,
}

_ALPHA = {"RGBA": "RGB", "LA": "L"}
_ROWS = 256


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright RGB image that carries no metadata; format and frames of its file; notes for people.

    The image is in sRGB when correct is None, as it always is unless late colours were asked for; else correct
    makes a copy in sRGB of it, or of what was resized from it.
    """

    image: Image.Image
    format: Format
    frames: int
    notes: tuple[str, ...] = ()
    correct: Correct | None = None


def decode(content: bytes, limits: DecodeLimits, *, late_colours: bool = False) -> Decoded:
    """Decode the first frame of an image, alpha on white, 16 bits scaled to 8, any colours to sRGB.

    RefusedError says with its code what is wrong: not-an-image, unsupported-format:NAME, too-large,
    too-many-pixels, too-many-frames, truncated, corrupt, unsupported-pixels. MemoryError passes.
    """
    if len(content) > limits.max_bytes:
        raise RefusedError(
            f"{len(content):,} bytes: at most {limits.max_bytes:,} are accepted; make it smaller", code="too-large"
        )
    format = sniff(content)
    claim = claims(content, format, limits.max_frames)
    check_size(claim.width, claim.height, limits)
    check_frames(claim.frames, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata are nobody's concern
            image, frames = _load(content, format, limits)
            correct = _late(image) if late_colours else None
            rgb, notes = (image, ()) if correct else _flatten(image)
            rgb, more = _upright(rgb, image)
    except (RefusedError, MemoryError):
        raise
    except Exception as error:  # hostile bytes can raise anything from a parser
        raise _refusal(format, error) from error
    rgb.info = {}
    frames = max(claim.frames, frames)
    notes = (*notes, *more)
    if frames > 1:
        notes = (f"{_kind(format)}: {frames} {_parts(format)}, the first was analysed", *notes)
    return Decoded(rgb, format, frames, notes, correct)


def _load(content: bytes, format: Format, limits: DecodeLimits) -> tuple[Image.Image, int]:
    image = _PARSERS[format](BytesIO(content))
    check_size(*image.size, limits)
    frames = getattr(image, "n_frames", 1) if format is Format.AVIF else 1
    check_frames(frames, limits)
    image.load()
    return image, frames


def _late(image: Image.Image) -> Correct | None:
    """The way to sRGB of a plain RGB image that can be shrunk before it goes there."""
    profile = image.info.get("icc_profile")
    plain = image.mode == "RGB" and "transparency" not in image.info
    return srgb_later(profile) if profile and plain else None


def _flatten(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """RGB in sRGB on white."""
    profile = image.info.get("icc_profile")
    if image.mode in ("I", "F"):
        raise RefusedError(
            f"{image.mode!r} pixels (32 bits) have no agreed white; convert it to 8 or 16 bits",
            code="unsupported-pixels",
        )
    if image.mode.startswith("I;16"):
        image = _eight_bits(np.asarray(image))
    elif image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    alpha = image.getchannel("A") if image.mode in _ALPHA else None
    if alpha is not None:
        image = image.convert(_ALPHA[image.mode])
    rgb, note = to_srgb(image, profile)
    if alpha is not None and alpha.getextrema() != (255, 255):
        rgb.paste((255, 255, 255), mask=ImageChops.invert(alpha))
    return rgb, (note,) if note else ()


def _eight_bits(wide: NDArray[np.uint16]) -> Image.Image:
    """round(v / 257), in strips: 65535 becomes 255 and nothing is clipped."""
    narrow = np.empty(wide.shape, np.uint8)
    for top in range(0, len(wide), _ROWS):
        strip = wide[top : top + _ROWS].astype(np.uint32)
        narrow[top : top + _ROWS] = (strip + 128) // 257
    return Image.fromarray(narrow)


def _upright(rgb: Image.Image, source: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    # After load: PNG may keep its EXIF behind the pixels, and Pillow turns TIFF itself while loading.
    try:
        orientation = source.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a parser again; broken metadata are no reason to refuse good pixels
        return rgb, ("EXIF: cannot be read, the orientation may be wrong",)
    turn = _UPRIGHT.get(orientation)
    return (rgb if turn is None else rgb.transpose(turn)), ()


def _refusal(format: Format, error: Exception) -> RefusedError:
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return truncated(format)
    return RefusedError(f"the {format} cannot be read ({error}); upload it again or convert it", code="corrupt")


def _kind(format: Format) -> str:
    return "several pages" if format is Format.TIFF else "animated"


def _parts(format: Format) -> str:
    return "pages" if format is Format.TIFF else "frames"
