"""The way in: a raw notification, in whatever envelope, to what it says. Pure."""

import json

from infra.events.bodies import JsonObject, load, shown
from infra.events.dialects import Source
from infra.events.fields import optional_text
from infra.events.names import why_ignored
from infra.events.notices import Parsed, Refusal
from infra.events.records import eventbridge, s3_record
from schemas.errors import BadEventError
from schemas.events import ObjectEvent

MAX_RECORDS = 1000
MAX_ENVELOPES = 2  # EventBridge or S3 → SNS → SNS is more than anybody builds


def parse(body: object, *, source_hint: Source | None = None) -> Parsed:
    """What a notification says. `body`: bytes, text, or the object that a broker's client has decoded.

    `source_hint` names the server behind a queue when its records do not (an unknown `…:s3`, or a gateway
    that says `aws:s3` and sends plain keys). Raises BadEventError, and nothing else, when not one record of
    the message can be understood; a bad record among good ones is in `refused`.
    """
    return _notification(load(body), source_hint, "", 0)


def _notification(document: JsonObject, hint: Source | None, envelope_id: str, envelopes: int) -> Parsed:
    if "Message" in document and "Type" in document:
        return _sns(document, hint, envelopes)
    if "Records" in document:
        return _records(document["Records"], hint, envelope_id)
    if "detail-type" in document:
        return _one(eventbridge(document, envelope_id))
    if document.get("Event") == "s3:TestEvent":
        return Parsed(ignored=(why_ignored("s3:TestEvent"),))
    names = ", ".join(sorted(document)[:5])
    raise BadEventError(f"the message is no bucket notification (it has the fields {shown(names)})")


def _sns(document: JsonObject, hint: Source | None, envelopes: int) -> Parsed:
    kind = document["Type"]
    if kind != "Notification":
        raise BadEventError(
            f"SNS sent {shown(kind)} for topic {shown(document.get('TopicArn'))}: no event comes before "
            "the subscription is confirmed by hand"
        )
    message = document["Message"]
    if not isinstance(message, str) or envelopes == MAX_ENVELOPES:
        raise BadEventError(f"the SNS message should be one JSON text and is {shown(message)}")
    return _notification(load(message), hint, optional_text(document, "MessageId"), envelopes + 1)


def _one(outcome: ObjectEvent | str) -> Parsed:
    return Parsed(ignored=(outcome,)) if isinstance(outcome, str) else Parsed(events=(outcome,))


def _records(records: object, hint: Source | None, envelope_id: str) -> Parsed:
    if not isinstance(records, list) or not records:
        raise BadEventError(f"field 'Records' should be a list of records and is {shown(records)}")
    if len(records) > MAX_RECORDS:
        raise BadEventError(f"the notification has {len(records)} records, more than {MAX_RECORDS}")
    events: list[ObjectEvent] = []
    ignored: list[str] = []
    refused: list[Refusal] = []
    for index, record in enumerate(records):
        try:
            outcome = s3_record(record, hint, envelope_id)
        except BadEventError as error:
            refused.append(Refusal(index, str(error), json.dumps({"Records": [record]})))
            continue
        if isinstance(outcome, str):
            ignored.append(outcome)
        else:
            events.append(outcome)
    if not events and not ignored:
        raise BadEventError(refused[0].reason)
    return Parsed(tuple(events), tuple(ignored), tuple(refused))
