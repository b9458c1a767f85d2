"""Every format and pixel type that is let in comes out as the same upright RGB picture (R76)."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.decode import pictures
from tests.decode.pictures import BLUE, GREEN, RED, YELLOW, corner_colours, corners, near, save
from workers.decode.facts import describe
from workers.decode.limits import DecodeLimits
from workers.decode.phash import distance
from workers.decode.pixels import ORIENTATION, Decoded, decode
from workers.steps.program import InputProgram, run_program
from workers.steps.registry import Step

LIMITS = DecodeLimits()
SCENE = [RED, GREEN, BLUE, YELLOW]


def opened(content: bytes) -> Decoded:
    return decode(content, LIMITS)


FILES = {
    "jpeg": lambda: save(corners(), "JPEG", quality=95),
    "progressive jpeg": lambda: save(corners(), "JPEG", quality=95, progressive=True),
    "jpeg with several pictures": lambda: save(
        corners(), "MPO", quality=95, save_all=True, append_images=[corners(32, 32)]
    ),
    "png": lambda: save(corners(), "PNG"),
    "interlaced palette png": lambda: save(corners().quantize(16), "PNG"),
    "webp": lambda: save(corners(), "WEBP", quality=95),
    "lossless webp": lambda: save(corners(), "WEBP", lossless=True),
    "avif": lambda: save(corners(), "AVIF", quality=95),
    "gif": lambda: save(corners(), "GIF"),
    "tiff": lambda: save(corners(), "TIFF"),
    "tiff lzw": lambda: save(corners(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: save(corners(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff jpeg": lambda: save(corners(), "TIFF", compression="jpeg", quality=95),
    "big tiff": lambda: save(corners(), "TIFF", big_tiff=True),
    "bmp": lambda: save(corners(), "BMP"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_format_gives_the_same_picture(name: str) -> None:
    decoded = opened(FILES[name]())
    assert decoded.image.mode == "RGB"
    assert decoded.image.size == (pictures.WIDTH, pictures.HEIGHT)
    assert near(corner_colours(decoded.image), SCENE)
    assert decoded.format.value in name.replace("big ", "")
    assert decoded.frames == 1
    assert decoded.notes == ()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_of_several_frames_the_first_is_taken_and_a_note_says_so(format: str) -> None:
    later = [Image.new("RGB", (96, 64), colour) for colour in ("white", "black")]
    decoded = opened(save(corners(), format, save_all=True, append_images=later))
    assert near(corner_colours(decoded.image), SCENE, 20)
    assert decoded.frames == 3
    assert "the first was analysed" in decoded.notes[0]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # to be turned clockwise, so stored turned the other way
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = corners() if stored is None else corners().transpose(stored)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    decoded = opened(save(image, format, exif=exif))
    assert decoded.image.size == (pictures.WIDTH, pictures.HEIGHT)
    assert near(corner_colours(decoded.image), SCENE, 30)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"no TIFF", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff??", b""])
def test_broken_exif_does_not_cost_the_picture(format: str, exif: bytes) -> None:
    decoded = opened(save(corners(), format, quality=95, exif=b"Exif\0\0" + exif))
    assert near(corner_colours(decoded.image), SCENE)
    assert decoded.notes in ((), ("EXIF: cannot be read, the orientation may be wrong",))


def test_cmyk_becomes_rgb() -> None:
    found = corner_colours(opened(save(corners().convert("CMYK"), "JPEG", quality=95)).image)
    assert near(found, SCENE, 15)
    found = corner_colours(opened(save(corners().convert("CMYK"), "TIFF")).image)
    assert near(found, SCENE, 15)


def test_lab_becomes_rgb() -> None:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(corners(), to_lab)
    assert lab is not None
    assert near(corner_colours(opened(save(lab, "TIFF")).image), SCENE, 8)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(format: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).round().astype(np.uint16), (8, 1))
    grey = np.asarray(opened(save(Image.fromarray(ramp), format)).image)[0, :, 0]
    assert np.array_equal(grey, np.arange(256))


def test_big_endian_sixteen_bits_are_scaled_too() -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 65535, 256).astype(">u2"), (8, 1)))
    assert ramp.mode == "I;16B"
    grey = np.asarray(opened(save(ramp, "TIFF")).image)[0, :, 0].astype(int)
    assert np.abs(grey - np.arange(256)).max() <= 1


def test_float_pixels_are_refused_because_their_white_is_unknown() -> None:
    with pytest.raises(Exception, match="no agreed white") as refusal:
        opened(save(Image.new("F", (8, 8), 0.5), "TIFF"))
    assert getattr(refusal.value, "code", "") == "unsupported-pixels"


def half_transparent() -> Image.Image:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, pictures.WIDTH, pictures.HEIGHT // 2))
    return image


ON_WHITE = [(255, 255, 255), (255, 255, 255), BLUE, YELLOW]


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "GIF"])
def test_alpha_lies_on_white(format: str) -> None:
    assert near(corner_colours(opened(save(half_transparent(), format)).image), ON_WHITE, 15)


def test_palette_transparency_lies_on_white() -> None:
    palette = corners().quantize(4)
    index = palette.getpixel((5, 5))
    found = corner_colours(opened(save(palette, "PNG", transparency=index)).image)
    assert near(found, [(255, 255, 255), GREEN, BLUE, YELLOW])


def test_half_alpha_is_half_white() -> None:
    decoded = opened(save(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "PNG"))
    assert decoded.image.getpixel((4, 4)) == (127, 127, 127)


def test_grey_with_alpha_lies_on_white() -> None:
    image = Image.new("LA", (8, 8), (40, 255))
    image.paste((0, 0), (0, 0, 8, 4))
    pixels = np.asarray(opened(save(image, "PNG")).image)
    assert pixels[0, 0].tolist() == [255] * 3
    assert pixels[7, 7].tolist() == [40] * 3


def test_a_transparent_colour_lies_on_white() -> None:
    found = corner_colours(opened(save(corners(), "PNG", transparency=RED)).image)
    assert near(found, [(255, 255, 255), GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit_and_grey_become_rgb(format: str) -> None:
    bits = Image.new("1", (16, 16), 0)
    bits.paste(1, (8, 0, 16, 16))
    assert np.asarray(opened(save(bits, format)).image)[3, [0, 15]].tolist() == [[0] * 3, [255] * 3]
    assert opened(save(Image.new("L", (9, 7), 77), format)).image.getpixel((3, 3)) == (77, 77, 77)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_colour_profile_is_converted_to_srgb(format: str) -> None:
    profile = pictures.wide_gamut_profile()
    colour = (120, 160, 100)
    decoded = opened(save(Image.new("RGB", (32, 32), colour), format, icc_profile=profile))
    plain = opened(save(Image.new("RGB", (32, 32), colour), format))
    red, green, _ = (int(band) for band in np.asarray(decoded.image)[16, 16])
    was = [int(band) for band in np.asarray(plain.image)[16, 16]]
    # Rec. 2020's green is far outside sRGB: the same numbers mean a more saturated, and at gamma 1.8 lighter, green.
    assert green - red > was[1] - was[0] + 20
    assert green > was[1] + 5
    assert decoded.notes == ()


def wide(width: int = 640, height: int = 400) -> bytes:
    small = Image.fromarray(np.random.default_rng(5).integers(60, 200, (8, 12, 3), dtype=np.uint8))
    smooth = small.resize((width, height), Image.Resampling.BICUBIC)
    return save(smooth, "PNG", icc_profile=pictures.wide_gamut_profile())


@pytest.mark.parametrize(
    "steps",
    [
        (Step("pad_square"), Step("resize", {"size": 96})),
        (Step("pad_square", {"colour": 90}), Step("resize", {"size": 96})),
        (Step("pad_square"), Step("resize", {"size": 96, "reducing_gap": 2.0})),
        (Step("letterbox", {"size": 96}),),
        (Step("shortest_side", {"size": 110}), Step("centre_crop", {"size": 96})),
        (Step("stretch", {"size": 120}), Step("letterbox", {"size": 96}), Step("pad_square")),
    ],
    ids=lambda steps: " ".join(step.op for step in steps),
)
def test_colours_may_be_corrected_after_shrinking(steps: tuple[Step, ...]) -> None:
    program = InputProgram(steps, (96, 96))
    early, late = opened(wide()), decode(wide(), LIMITS, late_colours=True)
    assert early.correct is None
    assert late.correct is not None
    expected, geometry = run_program(early.image, program)
    found, same = run_program(late.image, program, late.correct)
    uncorrected, _ = run_program(late.image, program)
    assert np.abs(found.astype(int) - expected).mean() < 0.6
    assert np.abs(uncorrected.astype(int) - expected).mean() > 5
    if steps[-1].op == "letterbox":  # a border keeps the colour that was asked for
        assert found[0, 0].tolist() == [114] * 3
    assert same == geometry


def test_facts_do_not_depend_on_when_colours_are_corrected() -> None:
    early, late = describe(opened(wide())), describe(decode(wide(), LIMITS, late_colours=True))
    assert distance(early.phash, late.phash) <= 1
    assert [colour.name for colour in early.colours] == [colour.name for colour in late.colours]


@pytest.mark.parametrize("profile", [None, pictures.srgb_profile(), b"rubbish"])
def test_where_nothing_can_be_corrected_nothing_is_left_for_later(profile: bytes | None) -> None:
    decoded = decode(save(corners(), "PNG", icc_profile=profile), LIMITS, late_colours=True)
    assert decoded.correct is None
    assert near(corner_colours(decoded.image), SCENE, 0)
    assert bool(decoded.notes) == (profile == b"rubbish")


def test_srgb_as_a_profile_changes_no_pixel() -> None:
    with_profile = opened(save(corners(), "PNG", icc_profile=pictures.srgb_profile()))
    assert np.array_equal(np.asarray(with_profile.image), np.asarray(corners()))


def test_a_useless_profile_is_noted_and_ignored() -> None:
    decoded = opened(save(corners(), "PNG", icc_profile=b"not a profile at all"))
    assert near(corner_colours(decoded.image), SCENE, 0)
    assert "colour profile" in decoded.notes[0]


def test_real_photographs_decode() -> None:
    from pathlib import Path

    import skimage
    import sklearn.datasets

    folders = [Path(skimage.__file__).parent / "data", Path(sklearn.datasets.__file__).parent / "images"]
    files = sorted(file for folder in folders for file in folder.iterdir() if file.suffix in (".jpg", ".png"))
    assert len(files) >= 3
    for file in files[-8:]:
        decoded = opened(file.read_bytes())
        with Image.open(file) as reference:
            assert decoded.image.size == reference.size
