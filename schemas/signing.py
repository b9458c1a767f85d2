"""What a store lets somebody else do for a short while, without us: requests that it signed beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A form that stores one object: POST to `url` as multipart/form-data, the fields first, then the `file`."""

    url: str
    fields: Mapping[str, str]
    until: datetime


class Signer(Protocol):
    """A store whose server checks signatures; a folder has none.

    Nothing can be changed in what was signed: the server refuses another bucket, key, type, size or method, and
    everything after the time has passed.
    """

    def upload(self, bucket: str, key: str, size: int, content_type: str) -> SignedForm:
        """A form for exactly `size` bytes under this key. A key must be new: whoever has the form may send it twice."""

    def origin(self, bucket: str) -> str:
        """Where the forms of a bucket are sent, as a browser names it: scheme, host and port."""

    def download(self, bucket: str, key: str, version: str, name: str) -> str:
        """An address that gives this object as a file called `name`, for GET only. version: "" for the current one."""
