"""The cursor: where a page of hits ended, as text for a link. It holds the order's key and the record."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from schemas.errors import QueryError
from schemas.search import Order

Key = datetime | int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last hit of the page before, in its order."""

    order: Order
    key: Key
    record: int

    def text(self) -> str:
        """The cursor for a link."""
        key = self.key.isoformat() if isinstance(self.key, datetime) else str(self.key)
        return base64.urlsafe_b64encode(f"{self.order}|{key}|{self.record}".encode()).decode().rstrip("=")


def read_cursor(text: str, order: Order) -> Cursor:
    """The cursor of a link. QueryError when it is damaged or belongs to another order."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        name, key, record = plain.split("|")
        dated = order in (Order.NEWEST, Order.OLDEST)
        cursor = Cursor(Order(name), datetime.fromisoformat(key) if dated else int(key), int(record))
        sound = cursor.order is order and -(2**63) <= cursor.record < 2**63
        sound = sound and (cursor.key.tzinfo is not None if isinstance(cursor.key, datetime) else True)
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise QueryError(f"after={text[:40]!r} is not a place in these hits: start at the first page") from error
    if not sound or (isinstance(cursor.key, int) and not -(2**63) <= cursor.key < 2**63):
        raise QueryError(f"after={text[:40]!r} belongs to another order of hits: start at the first page")
    return cursor
