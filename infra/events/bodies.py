"""From a message's body to a checked JSON object: size, depth, encoding and numbers are judged here."""

import json
import math
from typing import Never

from schemas.errors import BadEventError

MAX_BODY_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_NUMBER_BITS = 256

JsonObject = dict[str, object]


def shown(value: object) -> str:
    """A value as a short, printable, storable text for an error message."""
    text = repr(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def load(body: object) -> JsonObject:
    """A body as bytes, text, or an object that a broker's client has decoded.

    Raises BadEventError with the reason.
    """
    if isinstance(body, bytes | bytearray | memoryview | str):
        body = _decoded(_text(body))
    if not isinstance(body, dict):
        raise BadEventError(f"the notification is {shown(body)}, not a JSON object; see who sent it")
    _check(body)
    return body


def _text(body: bytes | bytearray | memoryview | str) -> str:
    size = len(body.encode("utf-8", "surrogatepass")) if isinstance(body, str) else len(body)
    if size > MAX_BODY_BYTES:
        raise BadEventError(f"the notification has {size} bytes, more than {MAX_BODY_BYTES}; it was not read")
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    try:
        return bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadEventError(f"the notification is not UTF-8 text ({error.reason} at byte {error.start})") from error


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _decoded(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise BadEventError(f"the notification is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:  # also JSONDecodeError, and integers of thousands of digits
        raise BadEventError(f"the notification is not JSON: {error}") from error


def _check(document: JsonObject) -> None:
    """Walks without recursion, so that neither depth nor a cycle can hurt."""
    level: list[object] = [document]
    nodes = 0
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise BadEventError(f"the notification has more than {MAX_NODES} values; it was not read")
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise BadEventError(f"the notification is nested deeper than {MAX_DEPTH} levels")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise BadEventError("the notification has names that are not text, so it is not JSON")
        return list(value.values())
    if isinstance(value, list):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise BadEventError("the notification holds a number that is not finite, so it is not JSON")
    if isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS:
        raise BadEventError("the notification holds a number that is too long to mean anything")
    if not isinstance(value, str | int | float | None):
        raise BadEventError(f"the notification holds {shown(value)}, so it is not JSON")
    return []
