"""An S3 server as an object store: AWS, MinIO, Ceph, or whatever speaks as they do."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import IO, Any, cast

from botocore.client import BaseClient
from botocore.config import Config

from infra.aws import REGION, client
from infra.objects.keys import content_type as promised_type
from infra.objects.reading import changed, check_size
from infra.objects.s3_errors import errors
from schemas.errors import NotFoundError, PermanentError, RefusedError
from schemas.images import Look, ObjectHead

PART = 8 * 2**20  # bytes of one part of a multipart upload, and what a put holds in memory at most
_PATIENCE = timedelta(seconds=10)
_ATTEMPTS = 3  # of one request, with jittered back-off between them
_CONNECTIONS = 32
_UNVERSIONED = "null"  # the version's id of whatever was put while the bucket kept none


class S3Store:
    """`schemas.ports.ObjectStore` on an S3 server.

    Credentials, profile and region come from where every AWS tool finds them (AWS_ACCESS_KEY_ID, a role, …). The rights
    that each process needs are in docs/operation.md.

    A denied request is transient: rights are the operator's to mend, and no image is to blame for them.
    """

    def __init__(self, endpoint: str = "", *, timeout: timedelta = _PATIENCE) -> None:
        """endpoint: the server's URL; "": AWS. timeout: for connecting, and for each wait for bytes."""
        self.place = endpoint or "AWS"
        with errors(self.place):
            self._client = _client(endpoint, timeout.total_seconds())

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket; one that exists is left as it is, without the right to make one."""
        place = f"bucket {name!r}"
        with suppress(NotFoundError), errors(place):
            self._client.head_bucket(Bucket=name)
            return
        region = self._client.meta.region_name
        where = {} if region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        with errors(place), suppress(self._client.exceptions.BucketAlreadyOwnedByYou):  # by somebody meanwhile
            self._client.create_bucket(Bucket=name, **where)

    def buckets(self) -> list[str]:
        """Names of the buckets that these credentials own, sorted."""
        with errors(self.place):
            return sorted(each["Name"] for each in self._client.list_buckets()["Buckets"])

    def head(self, bucket: str, key: str, version: str = "") -> ObjectHead | None:
        """What is stored under a key now, or was as a version; None also for a delete marker."""
        asked = {"VersionId": version} if version else {}
        try:
            with errors(f"{bucket}/{key}", looking=True):
                said = self._client.head_object(Bucket=bucket, Key=key, **asked)
        except NotFoundError:
            return None
        return _head(bucket, key, said)

    def look(self, bucket: str, key: str, fits: Callable[[int], bool]) -> Look | None:
        """What is stored under a key, with its bytes where they fit: one request, which is broken off where not.

        Of an archived object only the head can be had.
        """
        place = f"{bucket}/{key}"
        try:
            with errors(place, looking=True):
                said = self._client.get_object(Bucket=bucket, Key=key)
        except NotFoundError:
            return None
        except RefusedError:
            there = self.head(bucket, key)
            return None if there is None else Look(there)
        with said["Body"] as body, errors(place):
            head = _head(bucket, key, said)
            if not fits(head.size):
                return Look(head)
            content = cast(bytes, body.read(head.size + 1))
        if len(content) != head.size:
            raise changed(place)
        return Look(head, content)

    def read(self, head: ObjectHead, limit: int) -> bytes:
        """The bytes of exactly the object that `head` describes, while it is the current one."""
        place = f"{head.bucket}/{head.key}"
        check_size(head, limit)
        try:
            with errors(place):
                said = self._client.get_object(Bucket=head.bucket, Key=head.key, IfMatch=f'"{head.etag}"')
                with said["Body"] as body:
                    content = cast(bytes, body.read(head.size + 1))
        except NotFoundError as error:
            raise changed(place) from error
        if len(content) != head.size:
            raise changed(place)
        return content

    @contextmanager
    def open(self, bucket: str, key: str, version: str = "") -> Iterator[IO[bytes]]:
        """A readable stream of the current object, or of a version; a put meanwhile does not disturb it."""
        place = f"{bucket}/{key}"
        asked = {"VersionId": version} if version else {}
        with errors(place, looking=True):
            body = self._client.get_object(Bucket=bucket, Key=key, **asked)["Body"]
        with body, errors(place):
            yield cast(IO[bytes], body)

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        """Store in one request, or in parts of which only the completed whole is seen; one part is in memory."""
        source = BytesIO(data) if isinstance(data, bytes) else data
        kind = content_type or promised_type(key)
        target = {"Bucket": bucket, "Key": key}
        described = {"ContentType": kind} if kind else {}
        first = _part(source)
        with errors(f"{bucket}/{key}"):
            if len(first) < PART:
                said = self._client.put_object(**target, **described, Body=first)
                size = len(first)
            else:
                said, size = self._put_parts(target, described, first, source)
        date = said["ResponseMetadata"]["HTTPHeaders"]["date"]
        etag, version = _unquoted(said["ETag"]), said.get("VersionId", "")
        return ObjectHead(bucket, key, version, etag, size, parsedate_to_datetime(date), kind)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; in a bucket with versions this puts a delete marker on it."""
        with suppress(NotFoundError), errors(f"{bucket}/{key}", looking=True):
            self._client.delete_object(Bucket=bucket, Key=key)

    def versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every version under a prefix, as `list`, by its id: "null" where the bucket kept none. No delete markers."""
        return self._listed("list_object_versions", "Versions", bucket, prefix)

    def erase(self, head: ObjectHead) -> bool:
        """Remove exactly this version; see the port. TransientError while a lock (retention, legal hold) keeps it."""
        version = head.version or _UNVERSIONED
        with suppress(NotFoundError):
            if version == _UNVERSIONED and not self._lies_there(head):
                return False
            with errors(f"{head.bucket}/{head.key}", looking=True):
                self._client.delete_object(Bucket=head.bucket, Key=head.key, VersionId=version)
            return True
        return False

    def _lies_there(self, head: ObjectHead) -> bool:
        """Whether what has no version of its own is still the same: its name outlives an overwriting.

        It is listed, which needs no other right than `versions` does.
        """
        for found in self.versions(head.bucket, head.key):
            if found.key != head.key:  # the key itself comes first
                return False
            if (found.version or _UNVERSIONED) == _UNVERSIONED:
                return found.etag == head.etag
        return False

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every current object under a prefix, a page of 1,000 at a time. NotFoundError when there is no such bucket.

        Listings tell neither version nor content type nor metadata.
        """
        return self._listed("list_objects_v2", "Contents", bucket, prefix)

    def _listed(self, method: str, part: str, bucket: str, prefix: str) -> Iterator[ObjectHead]:
        pages = self._client.get_paginator(method).paginate(Bucket=bucket, Prefix=prefix)
        try:
            with errors(f"{bucket}/{prefix}"):
                for page in pages:
                    for each in page.get(part, []):
                        if each["Key"].startswith(prefix):  # MinIO takes a leading slash off the prefix
                            yield _listed(bucket, each)
        except PermanentError as error:
            if not prefix or error.code != "bad-key":  # a prefix that no key can have
                raise

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _put_parts(
        self, target: Mapping[str, str], described: Mapping[str, str], first: bytes, source: IO[bytes]
    ) -> tuple[Any, int]:
        upload = {**target, "UploadId": self._client.create_multipart_upload(**target, **described)["UploadId"]}
        try:
            parts: list[Mapping[str, object]] = []
            size, content = 0, first
            while content:
                said = self._client.upload_part(**upload, PartNumber=len(parts) + 1, Body=content)
                parts.append({"PartNumber": len(parts) + 1, "ETag": said["ETag"]})
                size += len(content)
                content = _part(source)
            return self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}), size
        except BaseException:
            with suppress(Exception):  # what remains is the bucket's rule for unfinished uploads
                self._client.abort_multipart_upload(**upload)
            raise


def _client(endpoint: str, timeout: float) -> BaseClient:
    # Servers of other makers answer the newer checksums of requests with errors, so only where S3 demands them.
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=_CONNECTIONS,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if endpoint else "auto"},
        user_agent_extra="nafuda",
    )
    return client("s3", endpoint, config)


def _head(bucket: str, key: str, said: Mapping[str, Any]) -> ObjectHead:
    return ObjectHead(
        bucket,
        key,
        said.get("VersionId", ""),
        _unquoted(said["ETag"]),
        said["ContentLength"],
        said["LastModified"],
        said.get("ContentType", ""),
        {name.lower(): value for name, value in said.get("Metadata", {}).items()},
    )


def _listed(bucket: str, said: Mapping[str, Any]) -> ObjectHead:
    version = said.get("VersionId", "")
    return ObjectHead(bucket, said["Key"], version, _unquoted(said["ETag"]), said["Size"], said["LastModified"])


def _part(source: IO[bytes]) -> bytes:
    """The next whole part: a stream may give less than it is asked for before its end."""
    part = bytearray()
    while len(part) < PART and (more := source.read(PART - len(part))):
        part += more
    return bytes(part)


def _unquoted(etag: str) -> str:
    return etag.strip('"')
