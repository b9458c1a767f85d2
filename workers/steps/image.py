"""Image steps: from an upright RGB picture towards a model's input, keeping track of where the pixels went."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from PIL import Image

from schemas.errors import ManifestError
from workers.steps.border import RGB, Border, paint, resize_bordered
from workers.steps.geometry import Geometry
from workers.steps.registry import Op, colour, extent, flag, number, one_of, whole

MAX_SIDE = 4096
# The middle of a picture longer than this many times its short side is all that a crop can keep of it.
MAX_ASPECT = 8

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

WHITE = (255, 255, 255)

Extent = int | tuple[int, int]
Correct = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, slots=True)
class Picture:
    """An RGB image under way, the geometry that led here, and what is not done yet, because it is cheaper later:
    a border to be painted, colours to be corrected to sRGB (the border's are)."""

    image: Image.Image
    geometry: Geometry
    border: Border | None = None
    correct: Correct | None = None

    @classmethod
    def of(cls, image: Image.Image, correct: Correct | None = None) -> "Picture":
        """The beginning: an upright RGB image."""
        return cls(image, Geometry(float(image.width), float(image.height)), correct=correct)

    def corrected(self) -> "Picture":
        """The same picture in sRGB."""
        return self if self.correct is None else replace(self, image=self.correct(self.image), correct=None)

    def painted(self) -> "Picture":
        """The same picture with its border painted."""
        if self.border is None:
            return self
        picture = self.corrected()
        return Picture(paint(picture.image, self.border), self.geometry)


def _rgb(value: int | tuple[int, int, int]) -> RGB:
    return (value, value, value) if isinstance(value, int) else value


def _height_width(size: Extent) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def pad_square(picture: Picture, *, colour: int | tuple[int, int, int] = 255, centred: bool = True) -> Picture:
    """Add a border that makes it square: on both sides (the odd pixel after), or only right and below."""
    picture = picture.painted()
    width, height = picture.image.size
    side = max(width, height)
    left, top = ((side - width) // 2, (side - height) // 2) if centred else (0, 0)
    border = Border(left, top, side - width - left, side - height - top, _rgb(colour))
    geometry = picture.geometry.shifted(left, top)
    return replace(picture, geometry=geometry, border=border if width != height else None)


def resize(picture: Picture, *, size: Extent, filter: str = "bicubic", reducing_gap: float = 0.0) -> Picture:
    """Resize to size, whatever the aspect. A reducing_gap above 1 trades exactness for time (see Pillow)."""
    height, width = _height_width(size)
    resample = FILTERS[filter]
    gap = reducing_gap or None
    # Of all borders only white means the same before and after colours are corrected.
    waits = gap is None and (picture.correct is None or (picture.border and picture.border.colour == WHITE))
    picture = picture if waits else picture.painted()
    border = picture.border
    if border is not None:
        before = (
            picture.image.width + border.left + border.right,
            picture.image.height + border.top + border.bottom,
        )
        image = resize_bordered(picture.image, border, (width, height), resample)
    else:
        before = picture.image.size
        image = picture.image.resize((width, height), resample, reducing_gap=gap)
    geometry = picture.geometry.scaled(width / before[0], height / before[1])
    return Picture(image, geometry, correct=picture.correct)


def stretch(picture: Picture, *, size: Extent, filter: str = "bilinear") -> Picture:
    """Resize to size without keeping the aspect, as models do that were trained on squashed pictures."""
    return resize(picture, size=size, filter=filter)


def letterbox(
    picture: Picture,
    *,
    size: Extent,
    colour: int | tuple[int, int, int] = 114,
    filter: str = "bilinear",
    upscale: bool = True,
    reducing_gap: float = 0.0,
) -> Picture:
    """Fit into size keeping the aspect, then pad; rounded as Ultralytics' LetterBox rounds.

    With colour 255 and filter bicubic it is "resize, then pad", which shifts the picture by up to half an input
    pixel against pad_square and resize: a model that was trained on the one is not fed the other.
    """
    height, width = _height_width(size)
    source = picture.painted()
    ratio = min(height / source.image.height, width / source.image.width)
    ratio = ratio if upscale else min(ratio, 1.0)
    inner = (max(round(source.image.height * ratio), 1), max(round(source.image.width * ratio), 1))
    fitted = source
    if (inner[1], inner[0]) != source.image.size:
        fitted = resize(source, size=inner, filter=filter, reducing_gap=reducing_gap)
    top, left = round((height - inner[0]) / 2 - 0.1), round((width - inner[1]) / 2 - 0.1)
    border = Border(left, top, width - inner[1] - left, height - inner[0] - top, _rgb(colour))
    return replace(fitted, geometry=fitted.geometry.shifted(left, top), border=border)


def shortest_side(picture: Picture, *, size: int, filter: str = "bicubic", reducing_gap: float = 0.0) -> Picture:
    """Resize so that the shorter side is size, the longer one rounded down (torchvision's Resize of one number)."""
    picture = _middle(picture.painted())
    width, height = picture.image.size
    short = min(width, height)
    wanted = (size * height // short, size * width // short)
    return resize(picture, size=wanted, filter=filter, reducing_gap=reducing_gap)


def _middle(picture: Picture) -> Picture:
    # A 30,000 x 1 picture would grow to 6,720,000 x 224: keep only what the crop that follows can see.
    width, height = picture.image.size
    longest = MAX_ASPECT * min(width, height)
    if max(width, height) <= longest:
        return picture
    left, top = max(width - longest, 0) // 2, max(height - longest, 0) // 2
    image = picture.image.crop((left, top, left + min(width, longest), top + min(height, longest)))
    return replace(picture, image=image, geometry=picture.geometry.shifted(-left, -top))


def centre_crop(picture: Picture, *, size: Extent) -> Picture:
    """Cut the middle out (torchvision's CenterCrop rounding). ManifestError when the picture is smaller."""
    picture = picture.painted()
    height, width = _height_width(size)
    if picture.image.width < width or picture.image.height < height:
        raise ManifestError(
            f"centre_crop to {width} x {height}: the picture is {picture.image.width} x {picture.image.height}; "
            "put a shortest_side step of at least that size before it"
        )
    left, top = round((picture.image.width - width) / 2), round((picture.image.height - height) / 2)
    image = picture.image.crop((left, top, left + width, top + height))
    return replace(picture, image=image, geometry=picture.geometry.shifted(-left, -top))


_FILTER = one_of(*FILTERS)
_SIZE = extent(MAX_SIDE)
_GAP = number(1.0, 8.0)

IMAGE_STEPS: Mapping[str, Op[Callable[..., Picture]]] = {
    "pad_square": Op(pad_square, {"colour": colour(), "centred": flag()}),
    "resize": Op(resize, {"size": _SIZE, "filter": _FILTER, "reducing_gap": _GAP}),
    "stretch": Op(stretch, {"size": _SIZE, "filter": _FILTER}),
    "letterbox": Op(
        letterbox,
        {"size": _SIZE, "colour": colour(), "filter": _FILTER, "upscale": flag(), "reducing_gap": _GAP},
    ),
    "shortest_side": Op(
        shortest_side, {"size": whole(1, MAX_SIDE, required=True), "filter": _FILTER, "reducing_gap": _GAP}
    ),
    "centre_crop": Op(centre_crop, {"size": _SIZE}),
}
