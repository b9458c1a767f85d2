"""Accounts in PostgreSQL: people, sessions, one-time links, and the limit on failed attempts to sign in."""

import hashlib
import math
import secrets
from dataclasses import dataclass
from datetime import timedelta

from infra.records.passwords import Passwords, check_password, checked_name, name_key
from infra.records.pool import Connection, Pool, Row, transaction
from infra.records.pool import session as autocommit
from infra.records.sql import statement
from schemas.errors import ConflictError, NotFoundError, TransientError
from schemas.review import Person, Role


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts however busy it is, and how long when nobody uses it."""

    longest: timedelta = timedelta(days=14)
    idle: timedelta = timedelta(days=2)

    @property
    def note(self) -> timedelta:
        """How old the last noted use may get before it is written down again."""
        return min(timedelta(minutes=1), self.idle / 10)


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """So many failures are allowed by name and by address within a sliding window."""

    by_name: int = 5
    by_address: int = 20
    window: timedelta = timedelta(minutes=5)


class PostgresAccounts:
    """`Accounts` on a pool. `by` names who made a change, for the audit; "" is the command line or Nafuda itself."""

    def __init__(
        self,
        pool: Pool,
        *,
        passwords: Passwords | None = None,
        sessions: SessionLimits = SessionLimits(),
        attempts: AttemptLimits = AttemptLimits(),
    ) -> None:
        self._pool = pool
        self._passwords = passwords or Passwords()
        self._sessions = sessions
        self._attempts = attempts

    def create(self, name: str, password: str | None, role: Role, by: str = "") -> Person:
        """Make an account; without a password it is entered by a link. ConflictError when the name is taken."""
        shown = checked_name(name)
        if password is not None:
            check_password(password, shown)
        hashed = None if password is None else self._passwords.hash(password)
        made = {"name": shown, "key": name_key(shown), "role": str(role), "hash": hashed, "by": by}
        with autocommit(self._pool) as connection:
            row = connection.execute(statement("accounts", "create"), made).fetchone()
        if row is None:
            raise ConflictError(f"the name {shown!r} is taken (capitals make no difference); choose another")
        return _person(row)

    def people(self) -> list[Person]:
        """Everybody, by name."""
        with autocommit(self._pool) as connection:
            return [_person(row) for row in connection.execute(statement("accounts", "people"))]

    def set_role(self, name: str, role: Role, by: str = "") -> Person:
        """Change a role. Ends the person's sessions. The last admin stays one (ConflictError)."""
        with transaction(self._pool) as connection:
            before = _known(connection, name)
            if not role.includes(Role.ADMIN):
                _keep_one_admin(connection, before)
            return _change(connection, "set_role", name, {"role": str(role)}, "role", by, f"{before.role} to {role}")

    def set_password(self, name: str, password: str, by: str = "") -> None:
        """Change a password. Ends the person's sessions."""
        check_password(password, checked_name(name))
        hashed = self._passwords.hash(password)
        with transaction(self._pool) as connection:
            _known(connection, name)
            _change(connection, "set_password", name, {"hash": hashed}, "password", by)

    def disable(self, name: str, by: str = "") -> None:
        """Shut somebody out and end their sessions. The last admin cannot be disabled (ConflictError)."""
        with transaction(self._pool) as connection:
            _keep_one_admin(connection, _known(connection, name))
            _change(connection, "set_disabled", name, {"disabled": True}, "disabled", by)

    def enable(self, name: str, by: str = "") -> None:
        """Let somebody in again."""
        with transaction(self._pool) as connection:
            _known(connection, name)
            _change(connection, "set_disabled", name, {"disabled": False}, "enabled", by)

    def sign_in(self, name: str, password: str, address: str) -> str | None:
        """A new session's token, or None when name or password is wrong.

        TransientError (code "rate-limited", saying for how long) after too many failures by name or address.
        """
        key = name_key(name[:256])
        attempt = self._attempt(key, address)
        with autocommit(self._pool) as connection:
            row = connection.execute(statement("accounts", "password"), {"key": key}).fetchone()
        account, encoded = row or (None, None)
        if not self._passwords.verify(encoded, password):  # without a connection in hand: this is slow on purpose
            return None
        with transaction(self._pool) as connection:
            # A change of the password or the account meanwhile wins over this attempt.
            if connection.execute(statement("accounts", "password"), {"key": key}).fetchone() != row:
                return None
            if self._passwords.outdated(encoded):
                renewed = {"account": account, "old": encoded, "new": self._passwords.hash(password)}
                connection.execute(statement("accounts", "rehash"), renewed)
            connection.execute(statement("accounts", "forgive"), {"key": key, "attempt": attempt})
            return self._open_session(connection, account, "password")

    def link(self, name: str, valid: timedelta, by: str = "") -> str:
        """A one-time token that signs this person in once."""
        token = secrets.token_urlsafe(32)
        asked = {"digest": _digest(token), "key": name_key(name), "valid": valid}
        with transaction(self._pool) as connection:
            row = connection.execute(statement("accounts", "add_link"), asked).fetchone()
            if row is None:
                raise NotFoundError(f"there is no account {name!r} that may sign in; create or enable it first")
            _tell(connection, row[0], by, "link made", f"valid for {valid}")
        return token

    def redeem(self, token: str) -> str | None:
        """Exchange a one-time token for a session's token; None when it was used or ran out."""
        with transaction(self._pool) as connection:
            row = connection.execute(statement("accounts", "redeem"), {"digest": _digest(token)}).fetchone()
            return self._open_session(connection, row[0], "link") if row else None

    def person(self, session: str) -> Person | None:
        """Who a session belongs to, or None when it ended."""
        asked = {"digest": _digest(session), "idle": self._sessions.idle, "note": self._sessions.note}
        with autocommit(self._pool) as connection:
            row = connection.execute(statement("accounts", "person"), asked).fetchone()
            if row is None:
                return None
            if row[4]:
                connection.execute(statement("accounts", "seen"), asked)
        return _person(row)

    def sign_out(self, session: str) -> None:
        """End a session."""
        with autocommit(self._pool) as connection:
            connection.execute(statement("accounts", "close_session"), {"digest": _digest(session)})

    def _attempt(self, key: str, address: str) -> int:
        """Count an attempt as failed before it is checked: a hundred at once get no more guesses than one by one."""
        limits = self._attempts
        asked = {"key": key, "address": address, "window": limits.window}
        asked |= {"by_name": limits.by_name, "by_address": limits.by_address}
        with transaction(self._pool) as connection:
            connection.execute(statement("accounts", "one_at_a_time"), asked)
            row = connection.execute(statement("accounts", "blocked_until"), asked).fetchone()
            if row and row[0] is not None and row[0] > timedelta(0):
                seconds = math.ceil(row[0].total_seconds())
                raise TransientError(
                    f"too many failed attempts to sign in; try again in {seconds} seconds, or ask an admin for a link",
                    code="rate-limited",
                )
            connection.execute(statement("accounts", "forget"), asked)
            made = connection.execute(statement("accounts", "attempt"), asked).fetchone()
        return int(made[0]) if made else 0

    def _open_session(self, connection: Connection, account: int, how: str) -> str:
        """A new token for every sign-in: what a browser brought along never becomes a session."""
        token = secrets.token_urlsafe(32)
        made = {"digest": _digest(token), "account": account, "longest": self._sessions.longest}
        connection.execute(statement("accounts", "end_old"))
        connection.execute(statement("accounts", "open_session"), made)
        _tell(connection, account, "", "signed in", how)
        return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _person(row: Row) -> Person:
    return Person(id=row[0], name=row[1], role=Role(row[2]), disabled=row[3])


def _known(connection: Connection, name: str) -> Person:
    row = connection.execute(statement("accounts", "by_name"), {"key": name_key(name)}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no account {name!r}; `people` lists those that are there")
    return _person(row)


def _keep_one_admin(connection: Connection, person: Person) -> None:
    admins = [row[0] for row in connection.execute(statement("accounts", "lock_admins"))]
    if admins == [person.id]:
        raise ConflictError(f"{person.name} is the last admin; make somebody else an admin first")


def _change(
    connection: Connection, query: str, name: str, values: dict[str, object], action: str, by: str, detail: str = ""
) -> Person:
    """Change an account, end its sessions and write it down."""
    row = connection.execute(statement("accounts", query), {**values, "key": name_key(name)}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no account {name!r}")
    connection.execute(statement("accounts", "shut_out"), {"account": row[0]})
    _tell(connection, row[0], by, action, detail)
    return _person(row)


def _tell(connection: Connection, account: int, by: str, action: str, detail: str) -> None:
    said = {"account": account, "by": by, "action": action, "detail": detail}
    connection.execute(statement("accounts", "tell"), said)
