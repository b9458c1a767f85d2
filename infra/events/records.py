"""One record of a notification to one `ObjectEvent`: the S3 record that all imitate, and EventBridge's."""

from infra.events.bodies import JsonObject, shown
from infra.events.dialects import DIALECTS, Dialect, Source, dialect_of
from infra.events.fields import (
    bucket_name,
    member,
    object_key,
    optional_object,
    optional_size,
    optional_text,
    optional_time,
    required,
    version_id,
)
from infra.events.names import kind_of, why_ignored
from infra.events.sequencers import normalised
from schemas.errors import BadEventError
from schemas.events import EventKind, ObjectEvent


def s3_record(record: object, hint: Source | None, envelope_id: str) -> ObjectEvent | str:
    """An event, or the sentence why there is none. BadEventError when the record cannot be understood."""
    if not isinstance(record, dict):
        raise BadEventError(f"a record should be an object and is {shown(record)}")
    dialect = dialect_of(record, hint)
    name = required(record, "eventName")
    kind = kind_of(name)
    if kind is None:
        return why_ignored(name)
    s3 = member(record, "s3")
    stored = member(s3, "object")
    ids = optional_object(record, "responseElements")
    return ObjectEvent(
        kind=kind,
        bucket=bucket_name(member(s3, "bucket")),
        key=object_key(stored, encoded=dialect.encoded_keys),
        version=version_id(stored, "versionId"),
        source=dialect.source.value,
        event_id=optional_text(record, "eventId") or optional_text(ids, "x-amz-request-id") or envelope_id,
        etag=_etag(stored),
        size=_size(stored, kind, dialect),
        sequencer=normalised(stored.get("sequencer")) if dialect.sequencers else None,
        at=optional_time(record, "eventTime"),
    )


def eventbridge(event: JsonObject, envelope_id: str) -> ObjectEvent | str:
    """An event of EventBridge's, or the sentence why there is none."""
    source, name = required(event, "source"), required(event, "detail-type")
    if source != "aws.s3" or "CloudTrail" in name:
        raise BadEventError(
            f"the event is {shown(name)} from {shown(source)}; turn on EventBridge in the "
            "bucket's properties; match source aws.s3, detail-types Object Created and Object Deleted"
        )
    kind = kind_of(name)
    if kind is None:
        return why_ignored(name)
    detail = member(event, "detail")
    stored = member(detail, "object")
    dialect = DIALECTS[Source.EVENTBRIDGE]
    return ObjectEvent(
        kind=kind,
        bucket=bucket_name(member(detail, "bucket")),
        key=object_key(stored, encoded=dialect.encoded_keys),
        version=version_id(stored, "version-id"),
        source=dialect.source.value,
        event_id=optional_text(event, "id") or envelope_id,
        etag=_etag(stored),
        size=_size(stored, kind, dialect),
        sequencer=normalised(stored.get("sequencer")),
        at=optional_time(event, "time"),
    )


def _etag(stored: JsonObject) -> str | None:
    return optional_text(stored, "eTag", "etag").removeprefix("W/").strip('"') or None


def _size(stored: JsonObject, kind: EventKind, dialect: Dialect) -> int | None:
    size = optional_size(stored)
    if kind is EventKind.REMOVED or (size == 0 and not dialect.zero_sizes):
        return None
    return size
