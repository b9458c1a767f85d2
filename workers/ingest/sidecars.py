"""Sidecars: tags that stand beside an image, in a `.txt` object or in the object's metadata (R79, R38)."""

import re

from schemas.errors import RefusedError
from schemas.images import Sidecar

SUFFIX = ".txt"
MOST_BYTES = 256 * 1024
_METADATA = ("nafuda-tags", "tags")
_MOST_TAGS = 1000
_SPACE = re.compile(r"\s+")


def from_text(content: bytes) -> Sidecar:
    """Tags of a text file, by commas or lines; without either, by spaces. RefusedError when it is not UTF-8 text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(f"the tag file is not UTF-8: {error}; save it as UTF-8", code="bad-sidecar") from None
    return Sidecar("file", parse_tags(text))


def from_metadata(metadata: dict[str, str]) -> Sidecar | None:
    """Tags of the object's metadata (`x-amz-meta-nafuda-tags`, `x-amz-meta-tags`), or None."""
    for name in _METADATA:
        if metadata.get(name, "").strip():
            return Sidecar("metadata", parse_tags(metadata[name]))
    return None


def parse_tags(text: str) -> tuple[str, ...]:
    """Tags in order, without doubles: lower case, spaces inside a tag as underscores.

    >>> parse_tags("1girl, Long Hair, long_hair")
    ('1girl', 'long_hair')
    """
    parts = re.split(r"[,\n]", text) if re.search(r"[,\n]", text.strip()) else text.split()
    tags = (_SPACE.sub("_", part.strip().replace("\0", "")).lower() for part in parts)
    return tuple(dict.fromkeys(tag for tag in tags if 0 < len(tag) <= 200))[:_MOST_TAGS]
