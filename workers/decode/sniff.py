"""What bytes are, told from the bytes: the seven formats that are let in, and names for what is not."""

from enum import StrEnum

from schemas.errors import RefusedError


class Format(StrEnum):
    """The formats that are decoded. The value is what records and facets show."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    GIF = "gif"
    TIFF = "tiff"
    BMP = "bmp"


_IMAGES = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"II*\x00", Format.TIFF),
    (b"MM\x00*", Format.TIFF),
    (b"II+\x00", Format.TIFF),
    (b"MM\x00+", Format.TIFF),
)

_OTHERS = (
    (0, b"%PDF-", "pdf"),
    (0, b"%!PS", "eps"),
    (0, b"\xc5\xd0\xd3\xc6", "eps"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"BZh", "bzip2"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (257, b"ustar", "tar"),
    (0, b"8BPS", "psd"),
    (0, b"\x00\x00\x01\x00", "ico"),
    (0, b"\x00\x00\x02\x00", "cur"),
    (0, b"\x00\x00\x00\x0cjP  ", "jpeg2000"),
    (0, b"\xff\x4f\xff\x51", "jpeg2000"),
    (0, b"\x00\x00\x00\x0cJXL ", "jpeg-xl"),
    (0, b"\xff\x0a", "jpeg-xl"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"\x7fELF", "program"),
    (0, b"MZ", "program"),
    (8, b"CR\x02\x00", "camera-raw"),
)

_DIB_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_ACCEPTED = ", ".join(format.value for format in Format)


def sniff(content: bytes) -> Format:
    """The format of an image. Its name and content type are never asked.

    RefusedError "unsupported-format:NAME" for what is recognised and not let in, else "not-an-image".
    """
    other = _other(content)
    if other is not None:
        raise RefusedError(
            f"this is {other}, which is not accepted; convert it to one of {_ACCEPTED}",
            code=f"unsupported-format:{other}",
        )
    found = _image(content)
    if found is None:
        raise RefusedError(
            f"{len(content)} bytes that are no image of a known kind; send one of {_ACCEPTED}", code="not-an-image"
        )
    return found


def _image(content: bytes) -> Format | None:
    for magic, found in _IMAGES:
        if content.startswith(magic):
            return found
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Format.WEBP
    if content[4:8] == b"ftyp":
        return Format.AVIF
    if content[:2] == b"BM" and int.from_bytes(content[14:18], "little") in _DIB_SIZES:
        return Format.BMP
    return None


def _other(content: bytes) -> str | None:
    for offset, magic, name in _OTHERS:
        if content.startswith(magic, offset):
            return name
    if content[4:8] == b"ftyp":
        return _iso_media(content)
    return _markup(content[:1024])


def _iso_media(content: bytes) -> str | None:
    """None for AVIF; the name of every other kind of ISO base media file (ISO/IEC 14496-12, section 4.3)."""
    length = min(int.from_bytes(content[:4], "big"), 256)
    brands = {content[8:12], *(content[at : at + 4] for at in range(16, length, 4))}
    if brands & {b"avif", b"avis"}:
        return None
    return "heic" if brands & {b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"} else "video"


def _markup(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.startswith(b"<"):
        # Readers of PDF accept rubbish before the header; a real image never holds it where we look.
        return "pdf" if b"%pdf-" in text and _image(head) is None else None
    if b"<svg" in text:
        return "svg"
    return "html" if b"<html" in text or b"<!doctype html" in text else "xml"
