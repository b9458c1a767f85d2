"""Counting packed terms with numpy, and the copy of the dictionary that gives the numbers their names."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.records.pool import Connection
from infra.records.sql import statement

Counted = dict[str, list[tuple[str, int]]]
"""Values with their counts, the most frequent first, by field of the dictionary."""


@dataclass(frozen=True, slots=True)
class _Dictionary:
    """Names and fields by id; a field is its place in `fields`."""

    names: list[str]
    fields: dict[str, int]
    codes: NDArray[np.int16]


class Tally:
    """Counts ids. Its copy of the dictionary grows as ids are met: an id never changes its name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dictionary = _Dictionary([""], {"": 0}, np.zeros(1, np.int16))

    def count(self, connection: Connection, packed: bytes, fields: Sequence[str], size: int) -> Counted:
        """The `size` most frequent values of each field, ties by name. packed: ids of four bytes, low first."""
        counts = np.bincount(np.frombuffer(packed, "<i4"))
        known = self._dictionary
        if len(counts) > len(known.names):
            known = self._learn(connection)
        codes = known.codes[: len(counts)]
        found: Counted = {}
        for field in fields:
            ids = np.flatnonzero((codes == known.fields.get(field, -1)) & (counts > 0))
            kept = _top(ids, counts[ids], size)
            pairs = ((known.names[number], int(counts[number])) for number in kept.tolist())
            found[field] = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:size]
        return found

    def named(self, connection: Connection, ids: Sequence[int]) -> list[tuple[str, str]]:
        """The (field, name) of each id."""
        known = self._dictionary
        if ids and max(ids) >= len(known.names):
            known = self._learn(connection)
        fields = list(known.fields)  # a field's code is its place
        return [(fields[known.codes[number]], known.names[number]) for number in ids]

    def _learn(self, connection: Connection) -> _Dictionary:
        """Read the dictionary's newer part. Ids have no gaps, so a name's place is its id."""
        with self._lock:
            old = self._dictionary
            asked = {"known": len(old.names) - 1}
            rows = connection.execute(statement("search", "terms_after"), asked).fetchall()
            fields = dict(old.fields)
            codes = [fields.setdefault(field, len(fields)) for _, field, _ in rows]
            names = [*old.names, *(name for _, _, name in rows)]
            self._dictionary = _Dictionary(names, fields, np.concatenate([old.codes, np.asarray(codes, np.int16)]))
            return self._dictionary


def _top(ids: NDArray[np.intp], counts: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """The ids with the `size` highest counts, and those that tie with the last of them."""
    if len(ids) <= size:
        return ids
    least = int(np.partition(counts, len(counts) - size)[len(counts) - size])
    kept: NDArray[np.intp] = ids[counts >= least]
    return kept
