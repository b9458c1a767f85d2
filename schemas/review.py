"""Review: what a moderator gets, says and leaves behind; and who people are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from schemas.record import FlagView, Visibility


class Role(StrEnum):
    """What a signed-in person may do; each includes the ones before it."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """True when this role may do everything that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Verdict(StrEnum):
    """A moderator's word on an item."""

    KEEP = "keep"
    REMOVE = "remove"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. The password's hash stays in the accounts adapter."""

    id: int
    name: str
    role: Role
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How much waits in one queue, and since when the oldest does. escalated: of these, for admins only."""

    queue: str
    open: int
    oldest: datetime | None
    escalated: int = 0


@dataclass(frozen=True, slots=True)
class ItemFlag:
    """Why an item is in the queue: the policy's version, what was measured, against which threshold."""

    policy: str
    version: int
    severity: str
    subject: str
    score: float
    threshold: float
    source: str


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One record waiting in one queue. `lease` proves that the item is yours until `leased_until`."""

    id: int
    record: int
    queue: str
    status: str  # "open" or "closed"
    priority: int
    created_at: datetime
    due_at: datetime | None
    flags: tuple[ItemFlag, ...]
    lease: str = ""
    leased_by: str = ""
    leased_until: datetime | None = None
    escalated: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """One line of the append-only audit."""

    id: int
    item: int | None
    record: int
    actor: str
    action: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PastDecision:
    """What was decided before on a record or on its like."""

    record: int
    verdict: Verdict
    reviewer: str
    reason: str
    at: datetime
    distance: int = 0  # differing bits of the perceptual hash; 0 for the record itself
    queue: str = ""


@dataclass(frozen=True, slots=True)
class ReviewState:
    """What merging needs to know of one record's review. verdict: the latest keep or remove that is in force.

    flags: what policies find now, each with the verdict that covers it. held: somebody has to look first.
    removed: the latest verdict of at least one queue is to remove.
    """

    flags: tuple[FlagView, ...] = ()
    open_queues: tuple[str, ...] = ()
    verdict: Verdict | None = None
    held: bool = False
    removed: bool = False

    @property
    def visibility(self) -> Visibility:
        """Who may see the record because of this; removal outranks holding."""
        if self.removed:
            return Visibility.REMOVED
        return Visibility.HELD if self.held else Visibility.SHOWN

    @property
    def word(self) -> str:
        """The document's `review`: "removed", "open", "kept" or ""."""
        if self.removed:
            return "removed"
        if self.open_queues:
            return "open"
        return "kept" if self.verdict is Verdict.KEEP else ""


class ReviewDesk(Protocol):
    """The moderators' queue. Every change leaves an audit event in the same transaction."""

    def queues(self) -> list[QueueCount]:
        """Open items per queue, ordered by name."""

    def claim(self, person: Person, queue: str | None, lease: timedelta) -> ReviewItem | None:
        """Lease the most urgent open item nobody holds (the caller's own lease first), or None."""

    def upcoming(self, person: Person, queue: str | None) -> int | None:
        """The record that `claim` would lease after the item that this person holds now, or None; leases nothing."""

    def item(self, item: int) -> ReviewItem:
        """One item. NotFoundError when there is none."""

    def release(self, item: int, lease: str, person: Person) -> None:
        """Skip: give an item back for others (it comes last for this person). ConflictError: the lease was lost."""

    def decide(self, item: int, lease: str, person: Person, verdict: Verdict, reason: str) -> int:
        """Close (or escalate) an item and mark its record to be merged again; returns the record.

        ConflictError when the lease ran out or somebody else decided; PermanentError when removing has no reason.
        """

    def undo(self, item: int, person: Person) -> int:
        """Take back one's own latest decision on an item and open it again, leased to them; returns the record.

        Within minutes and only one's own; an admin may take back anybody's at any time. Else ConflictError.
        """

    def history(self, record: int) -> list[ReviewEvent]:
        """A record's audit, oldest first."""

    def precedents(self, record: int, limit: int) -> list[PastDecision]:
        """Earlier decisions on the record and on records that look like it, nearest first."""


class Accounts(Protocol):
    """People, their passwords (argon2id), sessions and one-time sign-in links."""

    def create(self, name: str, password: str | None, role: Role, by: str = "") -> Person:
        """Make an account; `by` is who made the change, for the audit.

        ConflictError when the name is taken; PermanentError for a weak password.
        """

    def people(self) -> list[Person]:
        """Everybody, by name."""

    def set_role(self, name: str, role: Role, by: str = "") -> Person:
        """Change a role. Ends the person's sessions."""

    def set_password(self, name: str, password: str, by: str = "") -> None:
        """Change a password. Ends the person's sessions."""

    def disable(self, name: str, by: str = "") -> None:
        """Shut somebody out and end their sessions. The last admin cannot be disabled (ConflictError)."""

    def enable(self, name: str, by: str = "") -> None:
        """Let somebody in again."""

    def sign_in(self, name: str, password: str, address: str) -> str | None:
        """A new session's token, or None when name or password is wrong.

        TransientError (code "rate-limited", saying for how long) after too many failures by name or address.
        """

    def link(self, name: str, valid: timedelta, by: str = "") -> str:
        """A one-time token that signs this person in once."""

    def redeem(self, token: str) -> str | None:
        """Exchange a one-time token for a session's token; None when it was used or ran out."""

    def person(self, session: str) -> Person | None:
        """Who a session belongs to, or None when it ended."""

    def sign_out(self, session: str) -> None:
        """End a session."""
