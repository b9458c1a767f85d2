"""Tag categories as people know them: their order, how each is called, and what a new tag's name may be."""

from collections.abc import Mapping

from schemas.errors import PermanentError

CATEGORIES: Mapping[str, str] = {
    "character": "Characters",
    "copyright": "Copyrights",
    "artist": "Artists",
    "general": "Tags",
    "object": "Objects",
    "rating": "Rating",
    "meta": "Meta",
}


def rank(category: str) -> int:
    """Where a category stands on a page; unknown ones come last."""
    order = list(CATEGORIES)
    return order.index(category) if category in order else len(order)


def hue(category: str) -> str:
    """The CSS class that colours a category; one of a closed set."""
    return f"cat-{category}" if category in CATEGORIES else "cat-general"


def tag_name(typed: str) -> str:
    """A tag as it is stored: lower case, words joined by underscores. PermanentError when nothing is left."""
    name = "_".join(typed.strip().lower().split())
    if not name or not name.isprintable() or name[0] in "-~" or any(mark in name for mark in ',*"'):
        raise PermanentError(
            f"{typed!r} cannot be a tag: use words without commas, quotes or *, and no - or ~ in front."
        )
    return name
