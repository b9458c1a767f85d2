"""What ingest writes down of a decoded picture without a model, and the pictures of it that are shown to people."""

from io import BytesIO

from PIL import Image

from schemas.images import ImageFacts
from workers.decode.palette import dominant_colours
from workers.decode.phash import perceptual_hash
from workers.decode.pixels import Decoded

# About so many pixels. A grid cell is 220 to 330 CSS pixels wide: 512 serves a landscape at 1.5 to 2.3 device pixels
# each, for 35 to 60 kB.
THUMBNAIL_SIDE = 512
THUMBNAIL_QUALITY = 80
RENDER_QUALITY = 88


def describe(decoded: Decoded) -> ImageFacts:
    """Thumbnail, perceptual hash and colours. Hash and colours are taken from the thumbnail's pixels: it is cheap."""
    small = _thumbnail(decoded.image)
    if decoded.correct is not None:
        small = decoded.correct(small)
    return ImageFacts(
        format=decoded.format.value,
        width=decoded.image.width,
        height=decoded.image.height,
        frames=decoded.frames,
        phash=perceptual_hash(small.convert("L")),
        colours=dominant_colours(small),
        thumbnail=_jpeg(small, THUMBNAIL_QUALITY),
        notes=decoded.notes,
    )


def _thumbnail(image: Image.Image) -> Image.Image:
    """About THUMBNAIL_SIDE, at most a quarter more: whole blocks averaged are enough then, at a third of the price."""
    blocks = image.reduce(max(1, max(image.size) // THUMBNAIL_SIDE))
    return blocks if max(blocks.size) <= THUMBNAIL_SIDE * 5 // 4 else fit(blocks, THUMBNAIL_SIDE)


def render(image: Image.Image, longest: int) -> bytes:
    """An upright RGB image as a JPEG of at most `longest` pixels a side, without any metadata."""
    return _jpeg(fit(image, longest), RENDER_QUALITY)


def fit(image: Image.Image, longest: int) -> Image.Image:
    """The image shrunk so that its longer side is at most `longest`; never enlarged."""
    width, height = image.size
    if max(width, height) <= longest:
        return image
    ratio = longest / max(width, height)
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    # Averaging whole blocks first costs a quarter of the full filter and is right for eyes; models' inputs never
    # come this way.
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.0)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    # A bare copy of the pixels: whatever class, comment, profile or EXIF the source had stays behind.
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    out = BytesIO()
    bare.save(out, "JPEG", quality=quality)
    return out.getvalue()
