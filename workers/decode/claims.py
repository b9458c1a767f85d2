"""What an image's container claims, read without a decoder: size and number of frames, so that bombs stop here."""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from schemas.errors import RefusedError
from workers.decode.limits import DecodeLimits
from workers.decode.sniff import Format


@dataclass(frozen=True, slots=True)
class Claim:
    """Pixels of the canvas and frames. A side of 0 means: only the decoder's header parser knows."""

    width: int = 0
    height: int = 0
    frames: int = 1


def claims(content: bytes, format: Format, most_frames: int) -> Claim:
    """Read the container; counting stops one frame above `most_frames`.

    RefusedError "truncated" when it ends early, "corrupt" when it makes no sense.
    """
    reader = _READERS.get(format)
    if reader is None:
        return Claim()
    try:
        return reader(content, most_frames)
    except (struct.error, IndexError, OverflowError) as error:
        raise truncated(format) from error


def check_size(width: int, height: int, limits: DecodeLimits) -> None:
    """RefusedError "too-many-pixels" when a picture of this size is above the limits."""
    if width > limits.max_side or height > limits.max_side or width * height > limits.max_pixels:
        raise RefusedError(
            f"{width} x {height} pixels: at most {limits.max_pixels:,} and {limits.max_side:,} a side are accepted; "
            "make it smaller",
            code="too-many-pixels",
        )


def check_frames(frames: int, limits: DecodeLimits) -> None:
    """RefusedError "too-many-frames" above the limit."""
    if frames > limits.max_frames:
        raise RefusedError(
            f"more than {limits.max_frames:,} frames or pages; send fewer of them", code="too-many-frames"
        )


def truncated(format: Format) -> RefusedError:
    """The refusal of a file that ends before its picture does."""
    return RefusedError(f"the {format} ends before its picture does; upload it again", code="truncated")


def _png(content: bytes, most_frames: int) -> Claim:
    """Chunks: length, type, body, CRC (PNG third edition, section 5.3; acTL section 11.3.6.1)."""
    width, height = struct.unpack_from(">II", content, 16)
    frames, at = 1, 8
    while True:
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind == b"acTL":
            frames = max(struct.unpack_from(">I", content, at + 8)[0], 1)
        if kind == b"IEND":
            return Claim(width, height, frames)
        at += 12 + length


def _gif(content: bytes, most_frames: int) -> Claim:
    """Blocks after the screen descriptor (GIF89a specification, sections 18 to 27)."""
    width, height, packed = struct.unpack_from("<HHB", content, 6)
    at = 13 + _palette(packed)
    frames = 0
    while at < len(content) and frames <= most_frames:
        kind = content[at]
        if kind == 0x21:
            at = _past_blocks(content, at + 2)
        elif kind == 0x2C:
            frames += 1
            at = _past_blocks(content, at + 11 + _palette(content[at + 9]))
        else:
            break  # the trailer, or rubbish that viewers ignore
    return Claim(width, height, max(frames, 1))


def _palette(packed: int) -> int:
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _past_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += content[at] + 1
    return at + 1


def _webp(content: bytes, most_frames: int) -> Claim:
    """RIFF chunks (RFC 9649, sections 2.4 to 2.7)."""
    end = 8 + struct.unpack_from("<I", content, 4)[0]
    if end > len(content):
        raise truncated(Format.WEBP)
    width = height = frames = 0
    for kind, at in _riff(content, end):
        if kind == b"VP8X":
            width = 1 + int.from_bytes(content[at + 4 : at + 7], "little")
            height = 1 + int.from_bytes(content[at + 7 : at + 10], "little")
        elif kind == b"VP8L" and not width:
            bits = struct.unpack_from("<I", content, at + 1)[0]
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif kind == b"VP8 " and not width:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, at + 6))
        frames += kind == b"ANMF"
        if frames > most_frames:
            break
    if not width or not height:
        raise RefusedError("the webp holds no picture; upload another file", code="corrupt")
    return Claim(width, height, max(frames, 1))


def _riff(content: bytes, end: int) -> Iterator[tuple[bytes, int]]:
    at = 12
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", content, at)
        yield kind, at + 8
        at += 8 + length + (length & 1)


def _tiff(content: bytes, most_frames: int) -> Claim:
    """The chain of directories (TIFF 6.0, section 2; BigTIFF has 8-byte offsets and counts)."""
    order = "<" if content[:2] == b"II" else ">"
    big = content[2:4] in (b"+\x00", b"\x00+")
    offset, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    at = struct.unpack_from(order + offset, content, 8 if big else 4)[0]
    seen: set[int] = set()
    while at and len(seen) <= most_frames:
        if at in seen:
            raise RefusedError("the tiff's pages run in a circle; upload another file", code="corrupt")
        seen.add(at)
        entries = struct.unpack_from(order + count, content, at)[0]
        at = struct.unpack_from(order + offset, content, at + struct.calcsize("=" + count) + entries * entry)[0]
    return Claim(frames=max(len(seen), 1))


def _avif(content: bytes, most_frames: int) -> Claim:
    """Top-level boxes up to pictures and index (ISO/IEC 14496-12, section 4.2): only whether they are whole."""
    at, missing = 0, {b"index", b"mdat"}
    while missing:
        size, kind = struct.unpack_from(">I4s", content, at)
        if size == 1:
            size = struct.unpack_from(">Q", content, at + 8)[0]
        if size == 0:
            break  # the last box, to the end of the file
        if size < 8 or at + size > len(content):
            raise truncated(Format.AVIF)
        missing.discard(b"index" if kind in (b"meta", b"moov") else kind)
        at += size
    return Claim()


_READERS: Mapping[Format, Callable[[bytes, int], Claim]] = {
    Format.PNG: _png,
    Format.GIF: _gif,
    Format.WEBP: _webp,
    Format.TIFF: _tiff,
    Format.AVIF: _avif,
}
