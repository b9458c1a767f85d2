"""Addresses of buckets on S3 servers as settings write them: s3://BUCKET, s3+http://HOST:PORT/BUCKET/PREFIX. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.objects.keys import parts
from schemas.errors import PermanentError

AWS = "s3://"
ENDPOINTS = ("s3+http://", "s3+https://")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_LONGEST_PREFIX = 512  # bytes; a key has 1,024


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """A bucket or a part of it. endpoint: the server's URL, "" for AWS. prefix: "", or with a slash at its end."""

    endpoint: str
    bucket: str
    prefix: str = ""

    def meets(self, bucket: str, prefix: str) -> bool:
        """True when an object can belong to this address and to a prefix of a bucket, on whichever server.

        One server may have many addresses, so the endpoint does not tell two buckets of one name apart.
        """
        inside = prefix.startswith(self.prefix) or self.prefix.startswith(prefix)
        return bucket == self.bucket and inside


def parse_address(text: str) -> BucketAddress:
    """The bucket that an address names. ValueError says what is wrong and what is right."""
    endpoint, path = _split(text)
    bucket, _, prefix = path.strip("/").partition("/")
    if not _NAME.fullmatch(bucket):
        raise ValueError(f"{bucket!r} is no bucket's name: say s3://BUCKET, or s3+http://HOST:PORT/BUCKET for another")
    try:
        names = parts(bucket, prefix)[1:] if prefix else []
    except PermanentError as error:
        raise ValueError(str(error)) from error
    if len(prefix.encode()) > _LONGEST_PREFIX:
        raise ValueError(f"a prefix has at most {_LONGEST_PREFIX} bytes")
    return BucketAddress(endpoint, bucket, "".join(f"{name}/" for name in names))


def _split(text: str) -> tuple[str, str]:
    if text.startswith(AWS):
        return "", text.removeprefix(AWS)
    if not text.startswith(ENDPOINTS):
        raise ValueError("say s3://BUCKET for AWS, or s3+http://HOST:PORT/BUCKET for another; a PREFIX may follow")
    found = urlsplit(text.removeprefix("s3+"))
    if not found.hostname or found.username or found.query or found.fragment:
        raise ValueError("say s3+http://HOST:PORT/BUCKET; credentials come from AWS_ACCESS_KEY_ID and its like")
    return f"{found.scheme}://{found.netloc}", found.path
