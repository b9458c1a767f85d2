"""Checked reading of single fields: what identifies an object is refused when wrong, the rest is left out."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from infra.events.bodies import JsonObject, shown
from schemas.errors import BadEventError
from schemas.events import MAX_KEY_BYTES

MAX_TEXT = 1024
_MAX_SIZE = (1 << 63) - 1
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def storable(text: str) -> bool:
    """True for text that any database takes: no NUL, no half of a surrogate pair."""
    return not _UNSTORABLE.search(text)


def member(parent: JsonObject, name: str) -> JsonObject:
    """A required object inside another one."""
    value = parent.get(name)
    if not isinstance(value, dict):
        raise BadEventError(f"field {name!r} should be an object and is {_found(parent, name)}")
    return value


def required(parent: JsonObject, name: str) -> str:
    """A required text that is not empty."""
    value = parent.get(name)
    if not isinstance(value, str) or not value:
        raise BadEventError(f"field {name!r} should be text and is {_found(parent, name)}")
    if not storable(value):
        raise BadEventError(f"field {name!r} holds characters that are not text: {shown(value)}")
    return value


def bucket_name(parent: JsonObject) -> str:
    """A bucket's name: text without "/", at most 255 bytes."""
    name = required(parent, "name")
    if "/" in name or len(name.encode()) > 255:
        raise BadEventError(f"{shown(name)} cannot be a bucket's name")
    return name


def object_key(parent: JsonObject, *, encoded: bool) -> str:
    """A key as text; `encoded`: the server sends it as a form field (`+` is a space, `%2B` a plus)."""
    raw = required(parent, "key")
    key = _form_decoded(raw) if encoded else raw
    if not storable(key):
        raise BadEventError(f"key {shown(raw)} holds a NUL or is not text")
    size = len(key.encode())
    if size > MAX_KEY_BYTES:
        raise BadEventError(f"key {shown(raw)} has {size} bytes, more than {MAX_KEY_BYTES}")
    return key


def _form_decoded(raw: str) -> str:
    if _BROKEN_ESCAPE.search(raw):
        raise BadEventError(
            f"key {shown(raw)} has a % that escapes nothing; if its server sends plain keys, name the source"
        )
    try:
        return unquote_plus(raw, errors="strict")
    except UnicodeDecodeError:
        raise BadEventError(f"key {shown(raw)} does not decode to UTF-8") from None


def version_id(parent: JsonObject, name: str) -> str:
    """A version, "" where there is none. It is part of the identity, so a wrong one is refused."""
    value = parent.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not storable(value) or len(value.encode()) > MAX_TEXT:
        raise BadEventError(f"field {name!r} should be a version and is {shown(value)}")
    return value


def optional_text(parent: JsonObject, *names: str) -> str:
    """The first of these fields that holds usable text, else ""."""
    for name in names:
        value = parent.get(name)
        if isinstance(value, str) and value and len(value) <= MAX_TEXT and storable(value):
            return value
    return ""


def optional_object(parent: JsonObject, name: str) -> JsonObject:
    """An object inside another one, empty when it is missing or something else."""
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def optional_size(parent: JsonObject) -> int | None:
    """A size in bytes, or None when the server does not say or says nonsense."""
    value = parent.get("size")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_SIZE:
        return None
    return value


def optional_time(parent: JsonObject, name: str) -> datetime | None:
    """An ISO 8601 time in UTC; a time without a zone is taken as UTC. None when it is missing or no time."""
    value = parent.get(name)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _found(parent: JsonObject, name: str) -> str:
    return shown(parent[name]) if name in parent else "missing"
