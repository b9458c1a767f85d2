"""Whatever arrives, the parser answers or refuses."""

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.events.dialects import Source
from infra.events.names import IGNORED, KINDS
from infra.events.notices import Parsed
from infra.events.parsing import parse
from schemas.errors import BadEventError
from schemas.events import MAX_KEY_BYTES

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.sampled_from(["aws:s3", "aws.s3", "null", "%2B+%", "ObjectCreated:Put", "Notification", "{}", "00FF"])
)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner))
KEYS = (
    st.text(min_size=1, max_size=20)
    | st.text(st.characters(codec=None), max_size=20)
    | st.sampled_from(["a+b%20c", "%", "é" * 600])
    | SCALARS
)
USUAL = st.sampled_from(["s3:ObjectCreated:Put", "ObjectRemoved:Delete", "Object Created"])
NAMES = USUAL | st.sampled_from([*KINDS, *IGNORED, "s3:Nothing"])
SOURCES = st.sampled_from(["aws:s3", "minio:s3", "ceph:s3"]) | st.sampled_from(["rustfs:s3", "aws:ses", "x:s3"])


def _some(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """These fields as they should be, or with some of them missing or anything at all."""
    mixed = {name: strategy | ANYTHING for name, strategy in fields.items()}
    return st.fixed_dictionaries(fields) | st.fixed_dictionaries({}, optional=mixed)


STORED = _some(key=KEYS, size=st.integers(), eTag=st.text(), versionId=st.text(), sequencer=st.text("0123456789abF"))
S3 = _some(bucket=_some(name=st.just("b"), arn=st.text()), object=STORED, configurationId=st.just("x-global"))
RECORD = _some(eventSource=SOURCES, eventName=NAMES, eventTime=st.datetimes().map(str), s3=S3)
NOTIFICATION = _some(Records=st.lists(RECORD, max_size=4), Event=st.just("s3:TestEvent"))
BRIDGE = st.fixed_dictionaries({"detail-type": NAMES, "source": st.just("aws.s3"), "detail": S3 | ANYTHING})
WRAPPED = st.fixed_dictionaries({"Type": st.just("Notification"), "Message": (NOTIFICATION | BRIDGE).map(json.dumps)})
BODIES = ANYTHING | NOTIFICATION | BRIDGE | WRAPPED | st.binary() | st.text()


@settings(max_examples=600, deadline=None)
@given(body=BODIES, hint=st.none() | st.sampled_from(Source), as_text=st.booleans())
def test_any_message_is_understood_or_refused(body: object, hint: Source | None, as_text: bool) -> None:  # R71
    if as_text and not isinstance(body, bytes):
        body = json.dumps(body)
    with contextlib.suppress(BadEventError):
        _judge(parse(body, source_hint=hint))


def _judge(parsed: Parsed) -> None:
    assert parsed.events or parsed.ignored
    for event in parsed.events:
        texts = (
            event.bucket,
            event.key,
            event.version,
            event.event_id,
            event.etag or "",
            event.sequencer or "",
        )
        assert all("\0" not in text and text.encode() is not None for text in texts)
        assert event.bucket and 0 < len(event.key.encode()) <= MAX_KEY_BYTES
        assert event.at is None or event.at.utcoffset() is not None
