"""Which keys a file system can hold, and what a key's name says of its content. Pure."""

import re
from pathlib import PurePosixPath

from schemas.errors import PermanentError
from schemas.events import MAX_KEY_BYTES

MAX_NAME_BYTES = 255
_NO_TEXT = re.compile("[\ud800-\udfff]")
CONTENT_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ico": "image/vnd.microsoft.icon",
    ".jfif": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jxl": "image/jxl",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".webp": "image/webp",
}


def content_type(key: str) -> str:
    """The content type that a key's extension promises; "" for one we do not know."""
    return CONTENT_TYPES.get(PurePosixPath(key).suffix.lower(), "")


def visible(name: str) -> bool:
    """True for a file's or folder's name that can be part of a key: not hidden, and text in every encoding."""
    return not name.startswith(".") and not _NO_TEXT.search(name)


def parts(bucket: str, key: str) -> list[str]:
    """The names from the root to the object: bucket, folders, file. PermanentError (code "bad-key") says what is wrong.

    A key names one file below its bucket, and a file has one key; whatever a file system would read differently
    ("a//b", "a/", "../x", "/x") or would hide (".x") is refused rather than changed.
    """
    if not bucket or "/" in bucket:
        raise PermanentError(f"{bucket!r} cannot be a bucket in a folder", code="bad-key")
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise PermanentError(f"key {key[:40]!r}… is longer than {MAX_KEY_BYTES} bytes", code="bad-key")
    names = [bucket, *key.split("/")]
    for name in names:
        if reason := _unfit(name):
            raise PermanentError(
                f"key {key!r} in bucket {bucket!r}: a folder cannot hold it, {reason}; store it under another key",
                code="bad-key",
            )
    return names


def _unfit(name: str) -> str:
    if not name:
        return "it is empty, or begins, ends or is doubled with a slash"
    if "\0" in name:
        return "it holds a NUL"
    if not visible(name):
        return "one of its names begins with a dot or is not text"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"one of its names is longer than {MAX_NAME_BYTES} bytes"
    return ""
