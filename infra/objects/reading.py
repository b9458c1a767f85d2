"""What every store says when an object cannot be read as its head described it."""

from schemas.errors import ChangedError, RefusedError
from schemas.images import ObjectHead


def check_size(head: ObjectHead, limit: int) -> None:
    """RefusedError (code "too-large") when the object has more than `limit` bytes."""
    if head.size > limit:
        place = f"{head.bucket}/{head.key}"
        raise RefusedError(f"{place} has {head.size} bytes, more than the limit of {limit}", code="too-large")


def changed(place: str) -> ChangedError:
    """The object is another one by now, or none."""
    return ChangedError(f"{place} changed while it was read; look again")
