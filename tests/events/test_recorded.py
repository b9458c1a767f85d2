"""What real servers send is understood: every recorded notification, with the key that was really stored."""

import json
from datetime import UTC, datetime

import pytest

from infra.events.dialects import Source
from infra.events.parsing import parse
from schemas.events import EventKind
from tests.events.recorded import SAMPLES, recorded

C, R = EventKind.CREATED, EventKind.REMOVED

EXPECTED = [
    # file, source, kind, key, version, etag, size, sequencer
    ("aws/constructed-native-put", "aws", C, "grüße/a b+.txt", "096fKKXTRTtl3on89fVO.nfljtsv6qko",
     "d41d8cd98f00b204e9800998ecf8427e", 9, "0069572E45D90281E5"),
    ("aws/constructed-native-delete-marker", "aws", R, "a.txt", "x0K",
     "d41d8cd98f00b204e9800998ecf8427e", None, "0069572E46D90281E5"),
    ("aws/constructed-eventbridge-deleted", "eventbridge", R, "grüße/a b+.txt",
     "1QW9g1Z99LUNbvaaYVpW9xDlOLU.qxgF",
     "d41d8cd98f00b204e9800998ecf8427e", None, "69572E46D90281E5"),
    ("aws/moto-direct-direct-put-plus", "aws", C, "a+b.txt", "",
     "c1a8b7bf3c8fcb9e33d405041d328b64", 10, None),
    ("aws/moto-snsb-sns-put-plus", "aws", C, "a+b.txt", "", "c1a8b7bf3c8fcb9e33d405041d328b64", 10, None),
    ("aws/moto-snsb-snsraw-put-plus", "aws", C, "a+b.txt", "", "c1a8b7bf3c8fcb9e33d405041d328b64", 10, None),
    ("aws/moto-ebb-eb-put-plus", "eventbridge", C, "a+b.txt", "6251fa5d-4b49-4b8b-bd1e-c1f409b87386",
     "c1a8b7bf3c8fcb9e33d405041d328b64", 10, "617F08299329D189"),
    ("aws/moto-verdirect-direct-copy", "aws", C, "copy of/a b.txt", "",
     "3acade050419d72b7bf72fddb5695dbb", 11, None),
    ("minio/plainb-put-pct41", "minio", C, "x%41.txt", "", "3a8cbe6fa15a44bb64a09b3435ba0b17", 11,
     "18E9F6E12D657A48"),
    ("minio/plainb-put-empty", "minio", C, "empty.txt", "", "d41d8cd98f00b204e9800998ecf8427e", None,
     "18E9F6E23FE055C9"),
    ("minio/plainb-multipart-complete", "minio", C, "multi part/ü+1.bin", "",
     "ae46f53cb04a4d1dced860f828ef5398-2", 5242884, "18E9F6E27CB573CC"),
    ("minio/verb-put-plus", "minio", C, "a+b.txt", "7694a498-9517-4ddf-a147-895d2ec187ec",
     "c1a8b7bf3c8fcb9e33d405041d328b64", 10, "18E9F6E31BD78DE8"),
    ("minio/verb-put-folder", "minio", C, "folder/", "null", "a618a36f36b1704600046b180bcae49d", 12,
     "18E9F6E40D099AF7"),
    ("minio/verb-delete", "minio", R, "a+b.txt", "6f76cb23-96d4-4253-b69e-24ab65459122", None, None,
     "18E9F6E4E5B9E6E2"),
    # The marker was removed, so the object is back; MinIO says otherwise. A HEAD tells.
    ("minio/verb-delete-marker-removed", "minio", R, "a+b.txt",
     "6f76cb23-96d4-4253-b69e-24ab65459122", None, None,
     "18E9F6E5165EBFE4"),
    ("versity/plainb-put-plus", "versity", C, "a+b.txt", "", "c1a8b7bf3c8fcb9e33d405041d328b64", 10, None),
    ("versity/plainb-multipart-complete", "versity", C, "multi part/ü+1.bin", "",
     "ae46f53cb04a4d1dced860f828ef5398-2", None, None),
    ("versity/plainb-delete-multi", "versity", R, "x%41.txt", "", None, None, None),
    ("versity/verb-put-plain", "versity", C, "a/b.txt", "", "3acade050419d72b7bf72fddb5695dbb", 11, None),
    ("ceph/constructed-put", "ceph", C, "grüße/a b+%41.png", "", "d41d8cd98f00b204e9800998ecf8427e", 9,
     "35DC5769A1B2C328"),
]  # fmt: skip

IGNORED = [
    ("aws/moto-direct-direct-config", "s3:TestEvent"),
    ("versity/webhook-testevent", "s3:TestEvent"),
    ("minio/verb-tagging", "s3:ObjectCreated:PutTagging"),
]


@pytest.mark.parametrize(
    ("file", "source", "kind", "key", "version", "etag", "size", "sequencer"),
    EXPECTED,
    ids=[e[0] for e in EXPECTED],
)
def test_a_recorded_notification_gives_the_object_that_was_touched(  # R71
    file: str,
    source: str,
    kind: EventKind,
    key: str,
    version: str,
    etag: str | None,
    size: int | None,
    sequencer: str | None,
) -> None:
    parsed = parse(recorded(file)["body"])
    (event,) = parsed.events
    assert (parsed.ignored, parsed.refused) == ((), ())
    assert (event.source, event.kind, event.key, event.version) == (source, kind, key, version)
    assert (event.etag, event.size, event.sequencer) == (etag, size, sequencer)
    assert event.bucket in {"b", "direct", "snsb", "ebb", "verdirect", "plainb", "verb"}
    assert event.at is not None and event.at.utcoffset() is not None


@pytest.mark.parametrize("file", [e[0] for e in EXPECTED if "constructed" not in e[0] and "multi" not in e[0]])
def test_the_decoded_key_is_the_one_that_was_asked_for(file: str) -> None:  # R71
    sample = recorded(file)
    assert parse(sample["body"]).events[0].key == sample["key"]


@pytest.mark.parametrize(("file", "name"), IGNORED, ids=[i[0] for i in IGNORED])
def test_what_says_nothing_about_bytes_is_ignored_with_a_reason(file: str, name: str) -> None:  # R71
    parsed = parse(recorded(file)["body"])
    assert parsed.events == ()
    assert parsed.ignored[0].startswith(f"{name}: ")


def test_every_sample_has_an_expectation() -> None:
    files = {str(path.relative_to(SAMPLES).with_suffix("")) for path in SAMPLES.rglob("*.json")}
    assert files == {e[0] for e in EXPECTED} | {i[0] for i in IGNORED}


@pytest.mark.parametrize("shape", ["bytes", "text", "object", "text with a byte order mark"])
def test_a_body_may_be_bytes_text_or_an_object(shape: str) -> None:  # R71
    body = recorded("minio/plainb-put-pct41")["body"]
    text = json.dumps(body, ensure_ascii=False)
    shapes = {
        "bytes": text.encode(),
        "text": text,
        "object": body,
        "text with a byte order mark": "\ufeff" + text,
    }
    assert parse(shapes[shape]).events[0].key == "x%41.txt"


def test_times_are_aware_and_in_utc() -> None:
    assert parse(recorded("ceph/constructed-put")["body"]).events[0].at == datetime(
        2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC
    )


def test_ids_are_the_stores_own_or_the_envelopes() -> None:
    ids = [parse(recorded(f)["body"]).events[0].event_id for f in ("aws/moto-ebb-eb-put-plus", "minio/verb-delete")]
    assert ids == ["17793124-05d4-b198-2fde-7ededc63b103", "18E9F6E4E5A56804"]
    wrapped = parse(recorded("aws/moto-snsb-sns-put-plus")["body"])
    assert wrapped.events[0].event_id == "73cd4ef6-daa8-4212-811d-cc5f0eaf8788"


def test_a_named_source_outranks_what_the_record_says() -> None:  # R71
    body = recorded("aws/moto-direct-direct-put-plus")["body"]
    event = parse(body, source_hint=Source.CEPH).events[0]
    assert (event.source, event.key) == ("ceph", "a%2Bb.txt")
