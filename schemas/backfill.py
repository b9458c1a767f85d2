"""Backfill: which images are looked at once more, and the port that plans for them what models have not said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Scope:
    """Which images, and which work.

    collection: its name, "" for all. bucket, prefix: where one of their objects lies, "" for anywhere. models: only
    their work (ids), () for that of every model in force. dry: nothing is written.
    """

    collection: str = ""
    bucket: str = ""
    prefix: str = ""
    models: tuple[int, ...] = ()
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """How many images lack something, and how many pieces of work that is."""

    images: int = 0
    work: int = 0

    def __add__(self, other: "Planned") -> "Planned":
        return Planned(self.images + other.images, self.work + other.work)


class BackfillLedger(Protocol):
    """Work for images that were there before, below live work. Planning again does no harm."""

    def page(self, scope: Scope, after: int, limit: int = 500) -> tuple[int, Planned]:
        """Plan for the next images.

        Returns the last record looked at, 0 when there are none after `after`; and what was planned.
        """

    def records(self, scope: Scope, records: Sequence[int]) -> Planned:
        """Plan for certain records, as far as they are in the scope."""

    def cancel(self) -> int:
        """Take back what only a backfill planned and nobody has begun; returns how much work that was."""

    def waiting(self) -> Mapping[str, int]:
        """Pieces of work that wait below live work, by stage."""
