"""The fields of the query language: their names, closed lists, and how one value is read and written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from schemas.record import Status, Visibility
from schemas.search.tokens import fold

RATINGS = ("general", "sensitive", "questionable", "explicit")
RESOLUTIONS = ("low", "medium", "high", "huge")  # below .5, 2 and 8 megapixels, and above
ALIASES = {
    "color": "colour",
    "bytes": "size",
    "filesize": "size",
    "text": "words",
    "sha256": "sha",
    "mpixels": "mp",
    "label": "object",
}
"""Other names that are understood; printing uses the name on the right."""


@dataclass(frozen=True, slots=True)
class KeywordField:
    """A field of names. closed: the only values there are, if that is known; example: for error messages."""

    example: str
    closed: tuple[str, ...] = ()
    short: Mapping[str, str] | None = None

    def read(self, text: str) -> str:
        """A value in its folded form. ValueError says what would be right."""
        value = fold(text)
        value = (self.short or {}).get(value, value)
        if self.closed and value not in self.closed:
            raise ValueError(f"{text!r} is none of {', '.join(self.closed)}")
        if not value:
            raise ValueError(f"a value is missing, write for example {self.example}")
        return value


@dataclass(frozen=True, slots=True)
class NumberField:
    """A field of whole numbers in the unit that indexes store, and how people write it."""

    example: str
    read: Callable[[str], int]
    write: Callable[[int], str]


class _Sha(KeywordField):
    __slots__ = ()

    def read(self, text: str) -> str:
        value = text.lower()
        if not re.fullmatch(r"[0-9a-f]{4,64}", value):
            raise ValueError(f"{text!r} is not 4 to 64 hexadecimal digits")
        return value


_LIMIT = 2**62
_UNITS = {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30}


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _hundredths(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?|\.[0-9]{1,2}", text):
        raise ValueError(f"{text!r} is not a number with at most two decimals")
    return round(Fraction(text) * 100)


def _write_hundredths(value: int) -> str:
    return f"{value // 100}.{value % 100:02}".rstrip("0").rstrip(".") if value % 100 else str(value // 100)


def _ratio(text: str) -> int:
    sides = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9})", text)
    if sides is None:
        return _hundredths(text)
    width, height = int(sides[1]), int(sides[2])
    if not height:
        raise ValueError(f"{text!r} has no height")
    return ratio(width, height)


def _size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,2})?)(b|kb|mb|gb)?", text.lower())
    if found is None:
        raise ValueError(f"{text!r} is not a size, write for example 500kb or 1.5mb")
    return min(_LIMIT, round(Fraction(found[1]) * _UNITS[found[2] or ""]))


def _write_size(value: int) -> str:
    for unit in ("gb", "mb", "kb"):
        hundredths, rest = divmod(value * 100, _UNITS[unit])
        if not rest and hundredths >= 100:
            return _write_hundredths(hundredths) + unit
    return str(value)


def _day(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise ValueError(f"{text!r} is not a day, write for example 2026-11-21") from None


def ratio(width: int, height: int) -> int:
    """Width by height in hundredths, halves rounded up; indexes compute it in whole numbers like this."""
    return (200 * width + height) // (2 * height)


def _percent(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9])?)%", text)
    share = re.fullmatch(r"([01]?\.[0-9]{1,3}|[01])", text)
    if found is None and share is None:
        raise ValueError(f"{text!r} is not a confidence, write for example 90% or .9")
    value = round(Fraction(found[1]) * 10) if found else round(Fraction(text) * 1000)
    if value > 1000:
        raise ValueError(f"{text!r} is above 100%")
    return value


def _write_percent(value: int) -> str:
    return f"{value // 10}.{value % 10}%" if value % 10 else f"{value // 10}%"


CONFIDENCE = NumberField("ai:cat,>=90%", _percent, _write_percent)
"""Per mille, as `per_mille` rounds them."""

_SHORT_RATINGS = {name[0]: name for name in RATINGS}
KEYWORDS: Mapping[str, KeywordField] = {
    "rating": KeywordField("rating:general", RATINGS, _SHORT_RATINGS),
    "colour": KeywordField("colour:red"),
    "object": KeywordField("object:cat"),
    "format": KeywordField("format:png", (), {"jpg": "jpeg"}),
    "status": KeywordField("status:partial", tuple(Status)),
    "resolution": KeywordField("resolution:high", RESOLUTIONS),
    "collection": KeywordField("collection:photos"),
    "in": KeywordField("in:character"),
    "sha": _Sha("sha:9f86d081"),
    "flag": KeywordField("flag:weapons"),
    "review": KeywordField("review:open", ("open", "kept", "removed")),
    "visibility": KeywordField("visibility:held", tuple(Visibility)),
}
NUMBERS: Mapping[str, NumberField] = {
    "width": NumberField("width:>=1920", _whole, str),
    "height": NumberField("height:<600", _whole, str),
    "ratio": NumberField("ratio:16:9", _ratio, _write_hundredths),
    "mp": NumberField("mp:>=2.5", _hundredths, _write_hundredths),
    "size": NumberField("size:>1.5mb", _size, _write_size),
    "people": NumberField("people:2", _whole, str),
    "id": NumberField("id:1000..2000", _whole, str),
    "date": NumberField("date:2026-11-01..2026-11-21", _day, lambda day: date.fromordinal(day).isoformat()),
}
"""ratio and mp are hundredths (mp rounded down), size bytes, date the ordinal of the day made, in UTC."""
SPECIAL = ("tag", "ai", "words", "order")
FIELDS = frozenset((*SPECIAL, *KEYWORDS, *NUMBERS, *ALIASES))
"""Every name that may stand before a colon; before any other word a colon is part of a tag's name."""
