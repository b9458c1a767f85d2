"""Drawings as JPEG, and many contents from few of them: drawing takes longer than all that is done with a picture."""

import io
import struct
from functools import lru_cache

from training.samples import draw


@lru_cache(maxsize=64)
def drawn(seed: int) -> bytes:
    """A drawing as JPEG."""
    file = io.BytesIO()
    draw(seed).image.convert("RGB").save(file, "JPEG", quality=88)
    return file.getvalue()


def remarked(jpeg: bytes, remark: str) -> bytes:
    """The same picture in other bytes: a comment after the first marker."""
    text = remark.encode()
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + jpeg[2:]
