"""Alt text for people who cannot see the picture (R9): the caption, or a plain sentence of the surest tags."""

import re
from collections.abc import Iterable

from schemas.record import Caption, Tag

LONGEST = 250  # characters; screen readers read an alt text in one go
_MOST_TAGS = 8
_SILENT = ("meta", "rating")


def alt_text(captions: Iterable[Caption], tags: Iterable[Tag]) -> str:
    """One text of at most `LONGEST` characters; "" when nothing is known. Names of characters join the caption."""
    known = sorted(tags, key=lambda tag: (-(1.0 if tag.confidence is None else tag.confidence), tag.name))
    best = next((caption.text for caption in captions if caption.text), "")
    if best:
        who = [_plain(tag.name) for tag in known if tag.category == "character"]
        missing = [name for name in who if not re.search(rf"\b{re.escape(name)}\b", best, re.IGNORECASE)]
        return _short(f"{', '.join(missing)}: {best}" if missing else best)
    names = [_plain(tag.name) for tag in known if tag.category not in _SILENT][:_MOST_TAGS]
    return _short(", ".join(names))


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > LONGEST // 2 else cut).rstrip(" ,;:") + "…"
