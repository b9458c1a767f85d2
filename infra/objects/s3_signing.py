"""Requests that an S3 server takes from browsers and scripts because we signed them."""

from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import quote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from infra.aws import client
from infra.objects.s3_errors import errors
from schemas.errors import PermanentError
from schemas.signing import SignedForm


class S3Signer:
    """`schemas.signing.Signer`. Signing asks nobody: the server judges, with the rights of our credentials.

    Uploads are forms with a policy (signature version 4), not signed PUTs: MinIO takes a header that nobody signed,
    x-amz-copy-source, and makes of a signed PUT the copy of any object that our credentials may read.
    """

    def __init__(self, endpoint: str, *, lasting: timedelta) -> None:
        """endpoint: the server's URL as browsers reach it; "": AWS. lasting: how long what is signed can be used."""
        self.place = endpoint or "AWS"
        self._lasting = lasting
        config = Config(signature_version="s3v4", s3={"addressing_style": "path" if endpoint else "virtual"})
        self._session = boto3.session.Session()
        with errors(self.place):
            self._client = client("s3", endpoint, config, self._session)

    def upload(self, bucket: str, key: str, size: int, content_type: str) -> SignedForm:
        """A form for one object of exactly that size and type."""
        if "${" in key:
            raise PermanentError(f"{key!r}: ${{filename}} in a key lets the sender choose it", code="bad-key")
        described = {"Content-Type": content_type, "success_action_status": "201"}
        conditions = [*({name: value} for name, value in described.items()), ["content-length-range", size, size]]
        until = datetime.now(UTC) + self._lasting
        with errors(f"{bucket}/{key}"):
            self._identify()
            signed = self._client.generate_presigned_post(
                bucket, key, Fields=described, Conditions=conditions, ExpiresIn=self._seconds()
            )
        return SignedForm(signed["url"], signed["fields"], until)

    def origin(self, bucket: str) -> str:
        """The host of a form's address: with AWS it is the bucket's own."""
        with errors(bucket):
            self._identify()
            address = urlsplit(self._client.generate_presigned_post(bucket, "origin")["url"])
        return f"{address.scheme}://{address.netloc}"

    def download(self, bucket: str, key: str, version: str, name: str) -> str:
        """An address for one GET of one object, as a file to be saved; a browser never shows it as a page."""
        asked = {
            "Bucket": bucket,
            "Key": key,
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "ResponseContentType": "application/octet-stream",
            **({"VersionId": version} if version else {}),
        }
        with errors(f"{bucket}/{key}"):
            return cast(str, self._client.generate_presigned_url("get_object", Params=asked, ExpiresIn=self._seconds()))

    def _identify(self) -> None:
        """boto3 says it of addresses, but not of forms."""
        if self._session.get_credentials() is None:
            raise NoCredentialsError

    def close(self) -> None:
        """Let the client go."""
        self._client.close()

    def _seconds(self) -> int:
        return round(self._lasting.total_seconds())
