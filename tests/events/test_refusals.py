"""Hostile and foreign messages: refused with a reason, never anything else."""

import json

import pytest

from infra.events.bodies import MAX_BODY_BYTES
from infra.events.parsing import parse
from schemas.errors import BadEventError
from tests.events.recorded import message, record

NESTED: list[object] = []
for _ in range(5000):
    NESTED = [NESTED]

BODIES: list[tuple[str, object, str]] = [
    ("empty", b"", "not JSON"),
    ("text", "hello", "not JSON"),
    ("not UTF-8", b'{"Records": "\xff"}', "not UTF-8"),
    ("a list", "[]", "not a JSON object"),
    ("null", "null", "not a JSON object"),
    ("a number", 7, "not a JSON object"),
    ("an object of Python", object(), "not a JSON object"),
    ("NaN", '{"Records": NaN}', "NaN is not JSON"),
    ("NaN, decoded", {"Records": [{"a": float("nan")}]}, "not finite"),
    ("too large a float", '{"Records": 1e999}', "not finite"),
    ("too long a number", '{"Records": ' + "1" * 5000 + "}", "not JSON"),
    ("too long a number, decoded", {"Records": 1 << 100_000}, "too long"),
    ("bytes inside", {"Records": b"x"}, "holds a bytes"),
    ("names that are numbers", {1: 2}, "names that are not text"),
    ("deep text", "[" * 100_000, "nested deeper"),
    ("deep object text", '{"a":' * 200_000, "nested deeper"),
    ("deep and closed", '{"a":' + "[" * 50 + "]" * 50 + "}", "nested deeper"),
    ("deep, decoded", {"Records": NESTED}, "nested deeper"),
    ("huge", b" " * (MAX_BODY_BYTES + 1), "more than 1048576"),
    ("huge in bytes only", "ü" * (MAX_BODY_BYTES // 2 + 1), "more than 1048576"),
    ("many values", json.dumps({"Records": [0] * 300_000}), "more than 200000 values"),
    ("many records", message(*[record()] * 1001), "more than 1000"),
    ("nothing", "{}", "no bucket notification"),
    ("another message", {"hello": 1}, "no bucket notification"),
    ("no records", message(), "'Records' should be a list"),
    ("records are null", {"Records": None}, "'Records' should be a list"),
    ("a record is text", message("x"), "should be an object"),
    ("mail service", {"Records": [{"eventSource": "aws:ses", "ses": {}}]}, "aws:ses"),
    ("queue service", {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, "aws:sqs"),
    ("SNS as Lambda sees it", {"Records": [{"EventSource": "aws:sns", "Sns": {}}]}, "aws:sns"),
    ("unknown server", message(record(eventSource="new:s3")), "name its source"),
    ("no source", {"Records": [{"eventName": "ObjectCreated:Put"}]}, "'eventSource'"),
    ("another AWS event", {"detail-type": "EC2 State", "source": "aws.ec2", "detail": {}}, "on EventBridge"),
    ("CloudTrail", {"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3"}, "turn on EventBridge"),
    ("EventBridge without detail", {"detail-type": "Object Created", "source": "aws.s3"}, "'detail'"),
    ("SNS asks", {"Type": "SubscriptionConfirmation", "Message": "x", "TopicArn": "t"}, "confirmed by hand"),
    ("SNS with an object", {"Type": "Notification", "Message": {}}, "one JSON text"),
    ("SNS with other text", {"Type": "Notification", "Message": "disk full"}, "not JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
def test_a_message_that_is_no_notification_is_refused_with_the_reason(body: object, reason: str) -> None:  # R71
    with pytest.raises(BadEventError, match=reason):
        parse(body)


def test_envelopes_are_not_opened_for_ever() -> None:
    body: dict[str, object] = message(record())
    for _ in range(3):
        body = {"Type": "Notification", "Message": json.dumps(body)}
    with pytest.raises(BadEventError, match="SNS"):
        parse(body)


RECORDS: list[tuple[str, dict[str, object], str]] = [
    ("no key", record(key=None), "'key' should be text"),
    ("empty key", record(key=""), "'key' should be text"),
    ("number for a key", record(key=7), "'key' should be text"),
    ("list for a key", record(key=["a"]), "'key' should be text"),
    ("NUL", record(key="a%00b"), "NUL"),
    ("NUL, plain", record(key="a\0b"), "characters that are not text"),
    ("half a surrogate pair", record(key="a\ud800"), "characters that are not text"),
    ("1,025 bytes", record(key="ü" * 512 + "a"), "1025 bytes"),
    ("broken escape", record(key="100%"), "escapes nothing"),
    ("broken escape in the middle", record(key="a%zzb"), "escapes nothing"),
    ("not UTF-8", record(key="a%FFb"), "UTF-8"),
    ("a surrogate, encoded", record(key="a%ED%A0%80"), "UTF-8"),
    ("no bucket", record(name=None), "'name' should be text"),
    ("slash in a bucket", record(name="a/b"), "bucket"),
    ("number for a version", record(versionId=7), "version"),
    ("NUL in a version", record(versionId="a\0"), "version"),
    ("unknown event", record(eventName="ObjectVanished"), "unknown event"),
    ("event name null", record(eventName=None), "'eventName'"),
    ("no s3", {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}, "'s3' should be an object"),
    ("s3 is text", {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": "x"}, "'s3'"),
    ("no object", {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}, "'object'"),
]


@pytest.mark.parametrize(("bad", "reason"), [r[1:] for r in RECORDS], ids=[r[0] for r in RECORDS])
def test_a_bad_record_alone_is_refused_with_the_reason(bad: dict[str, object], reason: str) -> None:  # R71
    with pytest.raises(BadEventError, match=reason):
        parse(json.dumps(message(bad)))


@pytest.mark.parametrize(("bad", "reason"), [r[1:] for r in RECORDS], ids=[r[0] for r in RECORDS])
def test_a_bad_record_among_good_ones_is_kept_to_be_parsed_again(bad: dict[str, object], reason: str) -> None:  # R71
    parsed = parse(message(record(key="first.png"), bad, record(key="last.png")))
    (refusal,) = parsed.refused
    assert [event.key for event in parsed.events] == ["first.png", "last.png"]
    assert refusal.index == 1
    with pytest.raises(BadEventError) as again:
        parse(refusal.body)
    assert str(again.value) == refusal.reason


def test_reasons_and_kept_records_can_be_stored_as_text() -> None:
    parsed = parse(message(record(), record(key="\ud800\0"), record(key="x" * 100_000)))
    for refusal in parsed.refused:
        assert "\0" not in (refusal.reason + refusal.body).encode().decode()
        assert len(refusal.reason) < 300


def test_1024_bytes_are_a_key() -> None:
    assert parse(message(record(key="ü" * 512))).events[0].key == "ü" * 512


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", "3"), ("size", -1), ("size", True), ("size", 1 << 70), ("size", 1.5), ("size", None)],
)
def test_a_wrong_size_is_left_out_because_a_head_tells_it_anyway(field: str, value: object) -> None:
    assert parse(message(record(**{field: value}))).events[0].size is None


@pytest.mark.parametrize("value", [7, "", None, [], "\ud800", "a\0", "x" * 5000])
def test_wrong_hints_are_left_out(value: object) -> None:
    event = parse(message(record(eTag=value, sequencer=value, eventTime=value))).events[0]
    assert (event.etag, event.sequencer, event.at) == (None, None, None)


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_left_out(value: str) -> None:
    assert parse(message(record(eventTime=value))).events[0].at is None


def test_an_aws_configuration_that_ends_like_versitys_is_still_aws() -> None:  # R71
    body = record(key="a+b.png")
    body["s3"] = {"bucket": {"name": "b", "arn": "arn:aws:s3:::b"}, "object": {"key": "a+b.png"},
                  "configurationId": "images-global"}  # fmt: skip
    event = parse(message(body)).events[0]
    assert (event.source, event.key) == ("aws", "a b.png")


def test_rustfs_keys_are_form_fields() -> None:
    event = parse(message(record(eventSource="rustfs:s3", key="a%2Fb+c.png"))).events[0]
    assert (event.source, event.key) == ("rustfs", "a/b c.png")
