"""Nothing that is served carries anything but pixels (R76)."""

from io import BytesIO

import pytest
from PIL import Image

from tests.decode import pictures
from tests.decode.pictures import corners, save
from workers.decode.facts import describe, render
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode

SECRETS = [b"SecretCamera", b"SecretComment", b"SecretXmp", b"SecretTrail", b"Exif", b"ICC_PROFILE", b"http://ns.adobe"]


def gps() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (35.0, 39.0, 31.0), "E", (139.0, 44.0, 43.0)
    return exif


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SecretXmp</x:xmpmeta>'
FILES: dict[str, dict[str, object]] = {
    "JPEG": {"comment": b"SecretComment", "xmp": XMP},
    "PNG": {},
    "WEBP": {"xmp": XMP},
    "TIFF": {"description": "SecretComment"},
    "AVIF": {"xmp": XMP},
    "GIF": {"comment": b"SecretComment"},
}


@pytest.mark.parametrize("format", FILES)
def test_thumbnails_and_renders_carry_no_metadata(format: str) -> None:
    options = FILES[format] | ({} if format == "GIF" else {"exif": gps()})
    if format in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        options["icc_profile"] = pictures.srgb_profile()
    content = save(corners(640, 480), format, **options) + b"SecretTrail"
    assert any(secret in content for secret in SECRETS[:3])
    decoded = decode(content, DecodeLimits())
    for served in (describe(decoded).thumbnail, render(decoded.image, 300), render(decoded.image, 5000)):
        assert not any(secret in served for secret in SECRETS)
        with Image.open(BytesIO(served)) as image:
            assert image.format == "JPEG"
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_decoded_picture_itself_carries_no_metadata() -> None:
    decoded = decode(save(corners(), "JPEG", exif=gps(), comment=b"SecretComment"), DecodeLimits())
    assert decoded.image.info == {}


@pytest.mark.parametrize("longest", [50, 300, 5000])
def test_a_render_is_never_larger_than_asked_nor_than_the_picture(longest: int) -> None:
    decoded = decode(save(corners(640, 480), "PNG"), DecodeLimits())
    with Image.open(BytesIO(render(decoded.image, longest))) as image:
        assert max(image.size) == min(longest, 640)
        assert image.width * 3 == pytest.approx(image.height * 4, abs=3)
