"""The table of servers: how each one writes what all of them mean, and how to tell which one speaks."""

from dataclasses import dataclass
from enum import StrEnum

from infra.events.bodies import JsonObject, shown
from infra.events.fields import optional_object, optional_text, required
from schemas.errors import BadEventError


class Source(StrEnum):
    """Who wrote a notification; `ObjectEvent.source` has the same text."""

    AWS = "aws"
    EVENTBRIDGE = "eventbridge"
    MINIO = "minio"
    RUSTFS = "rustfs"
    CEPH = "ceph"
    VERSITY = "versity"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server writes a record.

    encoded_keys: keys are form fields, else they are as they are. sequencers: they grow for ever (VersityGW
    counts from zero after a restart). zero_sizes: a size of 0 means 0 (VersityGW says it of copies too).
    """

    source: Source
    encoded_keys: bool
    sequencers: bool = True
    zero_sizes: bool = True


DIALECTS = {
    Source.AWS: Dialect(Source.AWS, encoded_keys=True),
    Source.EVENTBRIDGE: Dialect(Source.EVENTBRIDGE, encoded_keys=False),
    Source.MINIO: Dialect(Source.MINIO, encoded_keys=True),
    Source.RUSTFS: Dialect(Source.RUSTFS, encoded_keys=True),
    Source.CEPH: Dialect(Source.CEPH, encoded_keys=False),
    Source.VERSITY: Dialect(Source.VERSITY, encoded_keys=False, sequencers=False, zero_sizes=False),
}
_SAID = {"aws:s3": Source.AWS, "minio:s3": Source.MINIO, "rustfs:s3": Source.RUSTFS, "ceph:s3": Source.CEPH}


def dialect_of(record: JsonObject, hint: Source | None) -> Dialect:
    """The dialect of one record. `hint` outranks what the record says, if it is about S3 at all."""
    name = "EventSource" if "EventSource" in record else "eventSource"  # SNS for Lambda writes a capital
    said = required(record, name)
    if hint is not None and said.endswith(":s3"):
        return DIALECTS[hint]
    source = _SAID.get(said)
    if source is None:
        remedy = "name its source in the settings" if said.endswith(":s3") else "this queue should get S3 events only"
        raise BadEventError(f"the event is from {shown(said)}, which is not known here; {remedy}")
    if source is Source.AWS and _is_versity(record):
        source = Source.VERSITY
    return DIALECTS[source]


def _is_versity(record: JsonObject) -> bool:
    """VersityGW says `aws:s3`. People choose AWS's configuration ids, so a second sign is asked for."""
    s3 = optional_object(record, "s3")
    arn = optional_text(optional_object(s3, "bucket"), "arn")
    global_id = optional_text(s3, "configurationId").endswith("-global")
    prefixed = optional_text(record, "eventName").startswith("s3:")
    return global_id and (prefixed or arn.startswith("arn:aws:s3:::/"))
