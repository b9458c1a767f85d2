"""The one error tree: the class alone decides whether work is tried again.

Every message names the input and the remedy, because an operator reads it without the code beside them.
"""


class NafudaError(Exception):
    """Anything we raise on purpose. `code` is short, stable and safe to show, store and count."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class TransientError(NafudaError):
    """May succeed when tried again later: a server is down, a file is being written, memory ran short."""

    code = "transient"


class DeniedError(TransientError):
    """The store does not let us read: the right is the operator's to give, and no object is to blame for it."""

    code = "store-denied"


class ChangedError(TransientError):
    """The object became another one, or none, while it was read; to look again tells which."""

    code = "object-changed"


class PermanentError(NafudaError):
    """Will fail in the same way every time: trying again is a waste."""

    code = "permanent"


class RefusedError(PermanentError):
    """The input itself is not acceptable (too large, not an image, truncated); it is kept with this reason."""

    code = "refused"


class BadEventError(PermanentError):
    """A notification that cannot be understood; it goes to the dead letters with this reason."""

    code = "bad-event"


class QueryError(PermanentError):
    """A search query that cannot be understood; the message says where and what would be right."""

    code = "bad-query"


class ManifestError(PermanentError):
    """A model manifest, or the model that it describes, is not what it says."""

    code = "bad-manifest"


class ConfigurationError(PermanentError):
    """A setting or the state of an installation is wrong; the message says which and how to mend it."""

    code = "bad-configuration"


class ConflictError(PermanentError):
    """Somebody else changed the same thing first: a lost lease, a newer version, a name already taken."""

    code = "conflict"


class NotFoundError(PermanentError):
    """What was asked for does not exist (or is not shown to the one who asks)."""

    code = "not-found"


class DecoderDiedError(TransientError):
    """The decoding process died or ran out of its limits on one image."""

    code = "decoder-died"
