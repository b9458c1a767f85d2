"""A strict reader for TOML tables: each key is asked for by kind, and what nobody asked for is refused."""

import math
from collections.abc import Iterable, Mapping
from typing import TypeVar

from schemas.errors import ManifestError

T = TypeVar("T")


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class Table:
    """One table of a TOML document. Every error names the document, the key and what is allowed there."""

    def __init__(self, values: Mapping[str, object], document: str, path: str = "") -> None:
        self._left = dict(values)
        self._document = document
        self._path = path
        self._asked: list[str] = []

    def wrong(self, key: str, allowed: str) -> ManifestError:
        """The error for a key whose value is not what is allowed."""
        where = f"{self._path}.{key}" if self._path else key
        return ManifestError(f"{self._document}: `{where}`: expected {allowed}")

    def _take(self, key: str, kind: type[T], allowed: str, default: T | None) -> T:
        self._asked.append(key)
        value = self._left.pop(key, default)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, f"{allowed}, got {'nothing' if value is None else repr(value)}")
        return value

    def text(self, key: str, default: str | None = None, *, allowed: Iterable[str] = ()) -> str:
        """A string that is not empty unless it is the default; one of `allowed` when given."""
        choices = tuple(str(each) for each in allowed)
        words = "one of " + ", ".join(repr(each) for each in choices) if choices else "a non-empty string"
        value = self._take(key, str, words, default)
        if value != default and (not value or (choices and value not in choices)):
            raise self.wrong(key, f"{words}, got {value!r}")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false."""
        return self._take(key, bool, "true or false", default)

    def whole(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """A whole number of at least `least`."""
        value = self._take(key, int, f"a whole number >= {least}", default)
        if value < least:
            raise self.wrong(key, f"a whole number >= {least}, got {value}")
        return value

    def share(self, key: str, default: float | None = None) -> float:
        """A number in [0, 1]."""
        self._asked.append(key)
        value = self._left.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.wrong(key, f"a number in 0..1, got {value!r}")
        return float(value)

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number."""
        self._asked.append(key)
        value = self._left.pop(key, default)
        if not _finite(value):
            raise self.wrong(key, f"a number, got {value!r}")
        return float(str(value))

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers."""
        value = self._take(key, list, "a list of numbers", [])
        if not all(_finite(each) for each in value):
            raise self.wrong(key, f"a list of numbers, got {value!r}")
        return tuple(float(each) for each in value)

    def wholes(self, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """A list of positive whole numbers."""
        value = self._take(key, list, "a list of positive whole numbers", list(default))
        if any(isinstance(each, bool) or not isinstance(each, int) or each < 1 for each in value):
            raise self.wrong(key, f"a list of positive whole numbers, got {value!r}")
        return tuple(value)

    def texts(self, key: str, default: tuple[str, ...], *, allowed: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of strings, each one of `allowed` if that is given."""
        wanted = "a list of texts" if allowed is None else f"a list out of {', '.join(allowed)}"
        value = self._take(key, list, wanted, list(default))
        if not all(isinstance(each, str) if allowed is None else each in allowed for each in value):
            raise self.wrong(key, f"{wanted}, got {value!r}")
        return tuple(value)

    def table(self, key: str, *, optional: bool = False) -> "Table":
        """A sub-table; an empty one when it is optional and missing."""
        value = self._take(key, dict, "a table", {} if optional else None)
        return Table(value, self._document, f"{self._path}.{key}" if self._path else key)

    def tables(self, key: str) -> list["Table"]:
        """An array of tables, empty when missing."""
        value = self._take(key, list, "an array of tables", [])
        if not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, "an array of tables")
        return [Table(each, self._document, f"{key}[{n}]") for n, each in enumerate(value)]

    def rest(self) -> dict[str, object]:
        """All keys nobody asked for yet: for tables whose keys are free."""
        rest, self._left = self._left, {}
        return rest

    def names(self) -> list[str]:
        """The keys that are there and that nobody asked for yet."""
        return list(self._left)

    def end(self) -> None:
        """Refuse keys that nobody asked for."""
        if self._left:
            raise self.wrong(min(self._left), f"no such key; known here are {', '.join(sorted(self._asked))}")
