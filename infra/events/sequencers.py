"""Sequencers: which of two events about one key came later, where the server tells at all."""

import re

from schemas.events import ObjectEvent

_HEX = re.compile(r"[0-9A-Fa-f]{1,64}")


def normalised(value: object) -> str | None:
    """A sequencer as upper-case hexadecimal, or None for anything that cannot be compared."""
    return value.upper() if isinstance(value, str) and _HEX.fullmatch(value) else None


def compare(first: ObjectEvent, second: ObjectEvent) -> int | None:
    """-1, 0 or 1 when `first` is older than, as old as or newer than `second`; None when nobody can tell.

    Only events of one source, bucket and key are comparable. The shorter sequencer is padded with zeros on
    the right (Amazon S3 user guide, "Event message structure"). An equal one does not mean the same event:
    MinIO repeats it for a change of tags.
    """
    if (first.source, first.bucket, first.key) != (second.source, second.bucket, second.key):
        return None
    one, other = normalised(first.sequencer), normalised(second.sequencer)
    if one is None or other is None:
        return None
    width = max(len(one), len(other))
    one, other = one.ljust(width, "0"), other.ljust(width, "0")
    return (one > other) - (one < other)
