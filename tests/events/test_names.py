"""Event names: which are worth a look, which are ignored, and that new ones are noticed."""

import pytest

from infra.events.names import IGNORED, KINDS, kind_of
from infra.events.parsing import parse
from schemas.errors import BadEventError
from schemas.events import EventKind
from tests.events.recorded import message, record

NAMES = [
    ("s3:ObjectCreated:Post", EventKind.CREATED),
    ("ObjectCreated:SomethingNew", EventKind.CREATED),
    ("ObjectRemoved:DeleteMarkerCreated", EventKind.REMOVED),
    ("s3:ObjectRemoved:DeleteObjects", EventKind.REMOVED),
    ("LifecycleExpiration:Delete", EventKind.REMOVED),
    ("s3:LifecycleExpiration:DeleteMarkerCreated", EventKind.REMOVED),
    ("s3:ObjectLifecycle:Expiration:NonCurrent", EventKind.REMOVED),
    ("s3:ObjectSynced:Create", EventKind.CREATED),
    ("s3:ObjectSynced:Delete", EventKind.REMOVED),
    ("ObjectRestore:Completed", EventKind.CHANGED),
    ("ObjectRestore:Post", None),
    ("s3:ObjectRestore:Delete", None),
    ("LifecycleTransition", None),
    ("s3:ObjectLifecycle:Transition:Current", None),
    ("IntelligentTiering", None),
    ("ObjectTagging:Put", None),
    ("s3:ObjectCreated:PutTagging", None),
    ("s3:ObjectCreated:PutRetention", None),
    ("ObjectAcl:Put", None),
    ("s3:ObjectAccessed:Get", None),  # our own reads must not wake us
    ("s3:Replication:OperationCompletedReplication", None),
    ("s3:TestEvent", None),
    ("Object Created", EventKind.CREATED),
    ("Object Deleted", EventKind.REMOVED),
    ("Object Restore Completed", EventKind.CHANGED),
    ("Object Tags Added", None),
]


@pytest.mark.parametrize(("name", "kind"), NAMES)
def test_a_name_says_what_to_look_for(name: str, kind: EventKind | None) -> None:  # R71
    assert kind_of(name) == kind


@pytest.mark.parametrize("name", ["", "s3:", "ObjectVanished:Put", "objectcreated:put", ":::", "ObjectCreatedPut"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(BadEventError, match="event"):
        kind_of(name)


def test_no_name_is_both_looked_at_and_ignored() -> None:
    assert not KINDS.keys() & IGNORED.keys()


def test_an_ignored_record_does_not_hide_its_neighbours() -> None:  # R71
    parsed = parse(message(record(eventName="ObjectTagging:Put"), record(key="b.png"), record(key="c.png")))
    assert [event.key for event in parsed.events] == ["b.png", "c.png"]
    assert len(parsed.ignored) == 1


def test_a_test_event_inside_a_record_is_ignored_too() -> None:
    assert parse(message(record(eventName="s3:TestEvent"))).ignored[0].startswith("s3:TestEvent")
