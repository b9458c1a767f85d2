"""Pictures made for tests: a scene whose four corners have known colours, in every format and pixel type."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 40), (30, 60, 220), (240, 220, 30)
WIDTH, HEIGHT = 96, 64


def corners(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Red top left, green top right, blue bottom left, yellow bottom right."""
    image = Image.new("RGB", (width, height))
    middle, centre = width // 2, height // 2
    image.paste(RED, (0, 0, middle, centre))
    image.paste(GREEN, (middle, 0, width, centre))
    image.paste(BLUE, (0, centre, middle, height))
    image.paste(YELLOW, (middle, centre, width, height))
    return image


def corner_colours(image: Image.Image) -> list[tuple[int, int, int]]:
    """The colours a little inside the four corners, row by row."""
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    places = [(y, x) for y in (height // 8, height - 1 - height // 8) for x in (width // 8, width - 1 - width // 8)]
    return [(int(red), int(green), int(blue)) for red, green, blue in (pixels[place] for place in places)]


def near(found: list[tuple[int, int, int]], expected: list[tuple[int, int, int]], tolerance: int = 12) -> bool:
    """Whether colours agree within what lossy coding does to flat areas."""
    return bool(np.abs(np.array(found) - np.array(expected)).max() <= tolerance)


def save(image: Image.Image, format: str, **options: object) -> bytes:
    """The image's file."""
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def noise(width: int, height: int) -> Image.Image:
    """Pixels that do not compress."""
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8))


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int, body: bytes = b"", *extra: bytes) -> bytes:
    """A 1-bit PNG that says it is so large."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def wide_gamut_profile() -> bytes:
    """A matrix profile with the primaries of Rec. 2020 and gamma 1.8, made from nothing but its definition."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(fixed(value) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(1.8 * 256)) + b"\0\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + b"\0" * 78 + b"\0"
    tags = {
        b"desc": text,
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.6734, 0.2790, -0.0019),
        b"gXYZ": xyz(0.1657, 0.6753, 0.0299),
        b"bXYZ": xyz(0.1251, 0.0456, 0.7969),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, bodies, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        padded = body + b"\0" * (-len(body) % 4)
        table += name + struct.pack(">II", at, len(padded))
        bodies, at = bodies + padded, at + len(padded)
    header = struct.pack(">I4sI4s4s4s", at, b"none", 0x02200000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    header += fixed(0.9642) + fixed(1.0) + fixed(0.8249) + b"\0" * 48
    return header + struct.pack(">I", len(tags)) + table + bodies


def srgb_profile() -> bytes:
    """sRGB itself."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
