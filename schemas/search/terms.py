"""Reading one term: what stands after a field's name, or a word without a field."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from schemas.search.fields import CONFIDENCE, KEYWORDS, NUMBERS, NumberField
from schemas.search.query import Bare, Confidence, Leaf, Number, Span, Tag, Text, Value, Wild
from schemas.search.tokens import fold, plain

_T = TypeVar("_T")
_BETWEEN = re.compile(r"(.*[^.])\.\.([^.].*)", re.DOTALL)
_COMPARED = re.compile(r"(>=|<=|>|<|=)?(.*)", re.DOTALL)


class TermError(ValueError):
    """A term that cannot be understood; the parser adds the column."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the values between commas."""

    text: str
    quoted: bool


def read_term(field: str, parts: Sequence[Part]) -> Leaf:
    """A term with a field. TermError says what would be right."""
    if field == "words":
        return read_text(parts)
    if field == "tag":
        return _tag(parts)
    if field == "ai":
        return _confidence(parts)
    try:
        if field in KEYWORDS:
            return Value(field, _distinct(KEYWORDS[field].read(part.text) for part in parts))
        return Number(field, _distinct(_span(NUMBERS[field], part.text) for part in parts))
    except TermError:
        raise
    except ValueError as error:
        raise TermError(f"{field}: {error}") from None


def read_text(parts: Sequence[Part]) -> Text:
    """Words of the text that must all occur."""
    found = plain(" ".join(part.text for part in parts))
    if not found:
        raise TermError('there is no word to look for, write for example words:"red car"')
    return Text(found)


def read_bare(text: str) -> Leaf:
    """A word without a field: a tag's name, a pattern, or words."""
    name = fold(text.rstrip(","))
    if not name or '"' in name or name.count("(") != name.count(")"):
        raise TermError(f'for a tag called {text} write tag:"{text}", with \\ before each " and \\ inside')
    return _wild(name) if "*" in name else Bare(name)


def _wild(pattern: str) -> Wild:
    pattern = re.sub(r"\*+", "*", pattern)
    if pattern == "*":
        raise TermError("* alone stands for every tag: write at least one letter, for example hair*")
    return Wild(pattern)


def _tag(parts: Sequence[Part]) -> Leaf:
    name = fold(",".join(part.text for part in parts))
    if not name:
        raise TermError("tag: needs a name, write for example tag:cat")
    return _wild(name) if "*" in name and not any(part.quoted for part in parts) else Tag(name)


def _confidence(parts: Sequence[Part]) -> Confidence:
    name = fold(",".join(part.text for part in parts[:-1]))
    if not name:
        raise TermError(f"ai: needs a tag and a confidence, write for example {CONFIDENCE.example}")
    try:
        return Confidence(name, _span(CONFIDENCE, parts[-1].text))
    except ValueError as error:
        raise TermError(f"ai: {error}") from None


def _span(field: NumberField, text: str) -> Span:
    between = _BETWEEN.fullmatch(text)
    if between is not None:
        low, high = field.read(between[1]), field.read(between[2])
        if low > high:
            raise TermError(f"{text!r} is empty: the smaller number comes first")
        return Span(low, high)
    sign, number = _COMPARED.fullmatch(text).groups()  # type: ignore[union-attr]
    if not number:
        raise TermError(f"a number is missing, write for example {field.example}")
    value = field.read(number)
    spans = {
        ">": Span(low=value, low_open=True),
        ">=": Span(low=value),
        "<": Span(high=value, high_open=True),
    }
    spans["<="] = Span(high=value)
    return spans.get(sign, Span(value, value))


def _distinct(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))
