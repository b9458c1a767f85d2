"""What servers call the things that happen to objects, and which of them are worth a look."""

from infra.events.bodies import shown
from schemas.errors import BadEventError
from schemas.events import EventKind

_TAGS = "tags are not read, the bytes are the same"
_RULES = "access rules changed, the bytes are the same"
_MOVED = "another storage class, the bytes are the same"
_COPIES = "about copies elsewhere, the bytes here are the same"
_ARCHIVE = "an archived copy cannot be read before the restore has completed"

# Names without "s3:", from the general to the particular: the longest entry that fits decides.
KINDS: dict[str, EventKind] = {
    "ObjectCreated": EventKind.CREATED,
    "ObjectSynced": EventKind.CREATED,  # Ceph: arrived from another zone
    "ObjectSynced:Delete": EventKind.REMOVED,
    "ObjectSynced:DeletionMarkerCreated": EventKind.REMOVED,
    "ObjectRemoved": EventKind.REMOVED,
    "LifecycleExpiration": EventKind.REMOVED,  # deletes without an ObjectRemoved
    "LifecycleDelMarkerExpiration": EventKind.REMOVED,
    "ObjectLifecycle:Expiration": EventKind.REMOVED,
    "ObjectRestore:Completed": EventKind.CHANGED,  # the bytes can be read again
    "ReducedRedundancyLostObject": EventKind.CHANGED,
    "Object Created": EventKind.CREATED,
    "Object Deleted": EventKind.REMOVED,
    "Object Restore Completed": EventKind.CHANGED,
}
IGNORED: dict[str, str] = {
    "TestEvent": "the store tries out the connection",
    "ObjectCreated:PutTagging": _TAGS,
    "ObjectCreated:DeleteTagging": _TAGS,
    "ObjectCreated:PutRetention": _RULES,
    "ObjectCreated:PutLegalHold": _RULES,
    "ObjectRemoved:NoOP": "nothing was there to remove",
    "ObjectLifecycle:Expiration:AbortMultipartUpload": "an unfinished upload was never an object",
    "ObjectTagging": _TAGS,
    "ObjectAcl": _RULES,
    "ObjectAccessed": "somebody read the object",
    "ObjectRestore": _ARCHIVE,
    "ObjectTransition": _MOVED,
    "ObjectLifecycle:Transition": _MOVED,
    "LifecycleTransition": _MOVED,
    "IntelligentTiering": _MOVED,
    "Replication": _COPIES,
    "BucketCreated": "about a bucket; its objects have their own events",
    "BucketRemoved": "about a bucket; its objects have their own events",
    "Scanner": "a remark about the number or size of versions",
    "Object Restore Initiated": _ARCHIVE,
    "Object Restore Expired": _ARCHIVE,
    "Object Storage Class Changed": _MOVED,
    "Object Access Tier Changed": _MOVED,
    "Object ACL Updated": _RULES,
    "Object Tags Added": _TAGS,
    "Object Tags Deleted": _TAGS,
}


def kind_of(name: str) -> EventKind | None:
    """What an event hints at, None when it is ignored (see `why_ignored`). BadEventError: an unknown name."""
    known = _known(name)
    if known is None:
        raise BadEventError(f"unknown event {shown(name)}; subscribe to object creation and removal only")
    return KINDS.get(known)


def why_ignored(name: str) -> str:
    """A sentence for people: the event's name and why it needs no look."""
    return f"{name}: {IGNORED[_known(name) or name]}"


def _known(name: str) -> str | None:
    stem = name.removeprefix("s3:")
    while stem:
        if stem in KINDS or stem in IGNORED:
            return stem
        stem = stem.rpartition(":")[0]
    return None
