"""What an S3 server's or its client's error means to us: to try again, to give up, or that nothing is there."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from infra.objects.reading import changed
from schemas.errors import DeniedError, NafudaError, NotFoundError, PermanentError, RefusedError, TransientError

_ABSENT = frozenset({"NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound", "404", "405", "MethodNotAllowed"})
_UNFIT = frozenset(
    {
        "400",
        "InvalidArgument",
        "InvalidBucketName",
        "InvalidURI",
        "KeyTooLongError",
        "XMinioInvalidObjectName",
        "XMinioInvalidResourceName",
    }
)
_DENIED = frozenset(
    {"403", "AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"}
)
_CHANGED = frozenset({"PreconditionFailed", "412"})
_ELSEWHERE = frozenset(
    {"301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)


@contextmanager
def errors(place: str, *, looking: bool = False) -> Iterator[None]:
    """Turns boto3's errors into ours. `looking`: a name that no object can have means there is nothing."""
    try:
        yield
    except ClientError as error:
        raise _meaning(place, error, looking) from error
    except ParamValidationError as error:
        raise _unfit(place, str(error), looking) from error
    except BotoCoreError as error:  # connections, time-outs, broken streams; also credentials that are not there
        remedy = "check NAFUDA_OBJECTS_URL, the server, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise TransientError(f"{place}: {error}; {remedy}", code="store-away") from error


def _meaning(place: str, error: ClientError, looking: bool) -> NafudaError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _ABSENT:
        return NotFoundError(f"{place}: there is nothing by this name")
    if code in _UNFIT:
        return _unfit(place, str(error), looking)
    if code in _CHANGED:
        return changed(place)
    if code == "InvalidObjectState":
        return RefusedError(f"{place} is archived: restore it, then retry", code="archived")
    if code in _DENIED:
        remedy = "check the credentials, and that they have s3:ListBucket and s3:GetObject on the bucket"
        return DeniedError(f"{place}: the server refuses us ({code}); {remedy}")
    if code in _ELSEWHERE:
        return DeniedError(f"{place}: {error}; set AWS_DEFAULT_REGION to its region")
    return TransientError(f"{place}: {error}", code="store-away")


def _unfit(place: str, reason: str, looking: bool) -> NafudaError:
    if looking:
        return NotFoundError(f"{place}: there is nothing by this name")
    return PermanentError(f"{place}: the server cannot hold it, {reason}; store it under another key", code="bad-key")
