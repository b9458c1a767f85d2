"""A moderator's own figures of this session, kept in a cookie: nobody else needs them, nothing depends on them."""

from dataclasses import dataclass, replace
from statistics import median
from typing import Self

COOKIE = "nafuda_figures"
REMEMBERED = 50
LONGEST = 3600.0
LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Figures:
    """Decisions, take-backs, the last items decided (newest last) and the seconds that decisions took."""

    count: int = 0
    taken_back: int = 0
    items: tuple[int, ...] = ()
    tenths: tuple[int, ...] = ()

    @property
    def last(self) -> int:
        """The item decided last and not taken back, or 0."""
        return self.items[-1] if self.items else 0

    @property
    def seconds(self) -> float | None:
        """Median seconds of the latest decisions."""
        return median(self.tenths) / 10 if self.tenths else None

    def decided(self, item: int, took: float) -> Self:
        """One more decision; times beyond an hour mean that the clock or the form was off, and are left out."""
        tenths = (*self.tenths, round(took * 10)) if 0 <= took <= LONGEST else self.tenths
        items = (*self.items, item)
        return replace(self, count=self.count + 1, items=items[-REMEMBERED:], tenths=tenths[-REMEMBERED:])

    def undone(self) -> Self:
        """The last decision was taken back."""
        return replace(self, count=max(0, self.count - 1), taken_back=self.taken_back + 1, items=self.items[:-1])

    def written(self) -> str:
        """As a cookie's value: four fields of numbers."""
        lists = (".".join(map(str, numbers)) for numbers in (self.items, self.tenths))
        return "_".join((str(self.count), str(self.taken_back), *lists))

    @classmethod
    def read(cls, value: str) -> Self:
        """From a cookie; anything unreadable counts as a fresh session."""
        try:
            count, taken_back, items, tenths = value.split("_")
            return cls(_number(count), _number(taken_back), _numbers(items), _numbers(tenths))
        except ValueError:
            return cls()


def _numbers(written: str) -> tuple[int, ...]:
    return tuple(_number(number) for number in written.split(".") if number)


def _number(written: str) -> int:
    """A number that the cookie can hold. ValueError for one that only a forged cookie has."""
    number = int(written)
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is no figure")
    return number
