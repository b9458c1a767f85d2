"""What is refused, under which code, before anything costly happens (R76)."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from schemas.errors import RefusedError
from tests.decode import pictures
from tests.decode.pictures import chunk, corners, noise, png_claiming, save
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode
from workers.decode.sniff import sniff

LIMITS = DecodeLimits()


def refusal(content: bytes, limits: DecodeLimits = LIMITS) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        decode(content, limits)
    return caught.value


ISO = b"\x00\x00\x00\x18ftyp"
NOT_IMAGES = {
    "not-an-image": [
        b"",
        b"x",
        b"hello, I am a picture",
        bytes(5000),
        b"BM but only a text about BMW",
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
    "unsupported-format:pdf": [b"%PDF-1.7 and so on", b"rubbish before\n%PDF-1.4"],
    "unsupported-format:eps": [b"%!PS-Adobe-3.0 EPSF-3.0", b"\xc5\xd0\xd3\xc6 binary"],
    "unsupported-format:svg": [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf  <?xml version='1.0'?><SVG/>",
    ],
    "unsupported-format:html": [b"<!DOCTYPE html><script>alert(1)</script>", b"\n <html><body>"],
    "unsupported-format:zip": [b"PK\x03\x04" + bytes(40)],
    "unsupported-format:gzip": [b"\x1f\x8b\x08\x00"],
    "unsupported-format:tar": [b"\x00" * 257 + b"ustar\x00"],
    "unsupported-format:heic": [ISO + b"heic\x00\x00\x00\x00mif1heic"],
    "unsupported-format:video": [ISO + b"isom\x00\x00\x00\x00isomavc1"],
    "unsupported-format:psd": [b"8BPS\x00\x01"],
    "unsupported-format:ico": [b"\x00\x00\x01\x00\x01\x00"],
    "unsupported-format:jpeg2000": [b"\x00\x00\x00\x0cjP  \r\n\x87\n"],
    "unsupported-format:program": [b"\x7fELF\x02\x01", b"MZ\x90\x00"],
}


@pytest.mark.parametrize(("code", "content"), [(code, one) for code in NOT_IMAGES for one in NOT_IMAGES[code]])
def test_what_is_no_accepted_image_is_named(code: str, content: bytes) -> None:
    error = refusal(content)
    assert error.code == code
    assert "jpeg, png, webp, avif, gif, tiff, bmp" in str(error)


WHOLE: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: save(noise(90, 60), "JPEG"),
    "progressive jpeg": lambda: save(noise(90, 60), "JPEG", progressive=True),
    "png": lambda: save(noise(90, 60), "PNG"),
    "apng": lambda: save(noise(90, 60), "PNG", save_all=True, append_images=[corners(90, 60)]),
    "webp": lambda: save(noise(90, 60), "WEBP"),
    "lossless webp": lambda: save(noise(90, 60), "WEBP", lossless=True),
    "animated webp": lambda: save(noise(90, 60), "WEBP", save_all=True, append_images=[corners(90, 60)]),
    "avif": lambda: save(noise(90, 60), "AVIF"),
    "gif": lambda: save(noise(90, 60), "GIF"),
    "tiff": lambda: save(noise(90, 60), "TIFF"),
    "tiff lzw": lambda: save(noise(90, 60), "TIFF", compression="tiff_lzw"),
    "bmp": lambda: save(noise(90, 60), "BMP"),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_half_a_file_is_refused_as_truncated(name: str, share: float) -> None:
    content = WHOLE[name]()
    assert refusal(content[: int(len(content) * share)]).code == "truncated"


def test_too_many_bytes_are_refused() -> None:
    assert refusal(save(noise(40, 40), "PNG"), DecodeLimits(max_bytes=1000)).code == "too-large"


def gif_claiming(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + save(corners(8, 8), "GIF")[13:]


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


def tiff_claiming(width: int) -> bytes:
    return patched(
        save(corners(96, 64), "TIFF"), struct.pack("<HHII", 256, 4, 1, 96), struct.pack("<HHII", 256, 4, 1, width)
    )


def webp_claiming_most() -> bytes:
    lossless = save(corners(64, 64), "WEBP", lossless=True)
    at = lossless.index(b"VP8L") + 9
    bits = struct.unpack_from("<I", lossless, at)[0] | 0x0FFFFFFF
    return lossless[:at] + struct.pack("<I", bits) + lossless[at + 4 :]


def bmp_claiming(width: int, height: int) -> bytes:
    return patched(save(corners(96, 64), "BMP"), struct.pack("<ii", 96, 64), struct.pack("<ii", width, height))


def jpeg_claiming(height: int, width: int) -> bytes:
    return patched(save(corners(96, 64), "JPEG"), struct.pack(">HH", 64, 96), struct.pack(">HH", height, width))


def avif_claiming(width: int, height: int) -> bytes:
    old, new = b"ispe\0\0\0\0" + struct.pack(">II", 96, 64), b"ispe\0\0\0\0" + struct.pack(">II", width, height)
    return patched(save(corners(96, 64), "AVIF"), old, new)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a 1-bit png of 50,000 x 50,000": lambda: png_claiming(50_000, 50_000, zlib.compress(bytes(50_000))),
    "a png as wide as the format allows": lambda: png_claiming(2**31 - 1, 1),
    "a gif with a huge canvas": lambda: gif_claiming(65_535, 65_535),
    "a tiff that lies about its width": lambda: tiff_claiming(4_000_000_000),
    "a webp that claims 16,384 x 16,384": webp_claiming_most,
    "a bmp": lambda: bmp_claiming(60_000, 60_000),
    "a jpeg": lambda: jpeg_claiming(60_000, 60_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_by_their_header(name: str) -> None:
    content = BOMBS[name]()
    assert len(content) < 100_000
    tracemalloc.start()
    assert refusal(content).code == "too-many-pixels"
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_an_avif_that_claims_too_much_is_refused() -> None:
    assert refusal(avif_claiming(16_000, 16_000)).code in ("too-many-pixels", "corrupt")


def test_the_limit_on_pixels_is_exact() -> None:
    assert decode(save(corners(10, 10), "PNG"), DecodeLimits(max_pixels=100)).image.size == (10, 10)
    assert refusal(save(corners(10, 11), "PNG"), DecodeLimits(max_pixels=100)).code == "too-many-pixels"


def frames(format: str, count: int) -> bytes:
    first, *rest = (Image.new("L", (4, 4), 10 * number) for number in range(count))
    return save(first, format, save_all=True, append_images=rest)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_too_many_frames_are_refused(format: str) -> None:
    limits = DecodeLimits(max_frames=5)
    assert decode(frames(format, 5), limits).frames == 5
    assert refusal(frames(format, 6), limits).code == "too-many-frames"


def test_a_tiff_whose_pages_run_in_a_circle_is_refused() -> None:
    content = bytearray(save(corners(8, 8), "TIFF"))
    first = struct.unpack_from("<I", content, 4)[0]
    after = first + 2 + 12 * struct.unpack_from("<H", content, first)[0]
    struct.pack_into("<I", content, after, first)
    assert refusal(bytes(content)).code == "corrupt"


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(50_000_000))),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000))),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(50_000_000))),
    ],
    ids=["iCCP", "zTXt", "iTXt"],
)
def test_text_and_profile_bombs_in_png_do_not_unfold(extra: bytes) -> None:
    content = png_claiming(8, 8, zlib.compress(bytes(16)), extra)
    tracemalloc.start()
    try:
        decode(content, LIMITS)
    except RefusedError as error:
        assert error.code == "corrupt"
    assert tracemalloc.get_traced_memory()[1] < 12_000_000
    tracemalloc.stop()


def test_a_huge_exif_block_costs_nothing_but_itself() -> None:
    exif = Image.Exif()
    exif[0x9286] = b"x" * 60_000
    exif[0x0112] = 6
    assert decode(save(corners(), "PNG", exif=exif), LIMITS).image.size == (pictures.HEIGHT, pictures.WIDTH)


def test_a_polyglot_is_what_its_first_bytes_say() -> None:
    content = save(corners(), "JPEG") + b"PK\x03\x04 a zip behind the picture" + b"<script>"
    assert decode(content, LIMITS).format == "jpeg"


MAGICS = [
    b"",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"GIF89a",
    b"II*\x00",
    b"MM\x00*",
    b"MM\x00+",
    b"RIFF\x40\x00\x00\x00WEBPVP8L",
    b"RIFF\x40\x00\x00\x00WEBPVP8X",
    b"BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00",
    b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1",
]


@given(st.sampled_from(MAGICS), st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_decoded_or_refused_and_nothing_else(magic: bytes, rest: bytes) -> None:
    try:
        decoded = decode(magic + rest, DecodeLimits(max_pixels=250_000))
    except RefusedError as error:
        assert error.code
    else:
        assert decoded.image.mode == "RGB"


@given(st.sampled_from(sorted(WHOLE)), st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_files_are_decoded_or_refused_and_nothing_else(name: str, choice: st.DataObject) -> None:
    content = bytearray(_SMALL.setdefault(name, WHOLE[name]()))
    for _ in range(choice.draw(st.integers(1, 8))):
        content[choice.draw(st.integers(0, len(content) - 1))] = choice.draw(st.integers(0, 255))
    try:
        decoded = decode(bytes(content), DecodeLimits(max_pixels=250_000))
    except RefusedError as error:
        assert error.code
    else:
        assert decoded.image.mode == "RGB"


_SMALL: dict[str, bytes] = {}


@given(st.binary(max_size=64))
def test_sniffing_never_fails_otherwise(content: bytes) -> None:
    try:
        sniff(content)
    except RefusedError as error:
        assert error.code == "not-an-image" or error.code.startswith("unsupported-format:")
