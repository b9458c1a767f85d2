"""Passwords and names: what is accepted, how it is kept (argon2id), and how it is checked without telling more."""

import threading
import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.errors import PermanentError

SHORTEST, LONGEST, NAME_LIMIT = 10, 1024, 64
_AT_ONCE = 4  # each takes 19 MiB while it runs
_USUAL = frozenset((
    "1234567890", "0123456789", "0987654321", "12345678910", "123456789a", "1q2w3e4r5t", "qwertyuiop", "qwerty12345",
    "qwerty123456", "password12", "password123", "password1234", "passw0rd123", "administrator", "letmein123",
    "iloveyou123", "welcome123", "asdfghjkl1", "zxcvbnm123", "abcdefghij", "abc1234567", "changeme123",
))  # fmt: skip


def name_key(name: str) -> str:
    """What makes names the same: NFKC, then case folding, then NFKC again (Unicode 3.13, D146)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    # A NUL or half a surrogate pair can be typed into a request, and stored by no database.
    return unicodedata.normalize("NFKC", folded).replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def checked_name(name: str) -> str:
    """The name as it is shown. PermanentError when it is empty, long, or holds what cannot be seen."""
    shown = unicodedata.normalize("NFKC", name).strip()
    if not 0 < len(shown) <= NAME_LIMIT or not shown.isprintable():
        raise PermanentError(f"{name!r} cannot be a name: expected 1 to {NAME_LIMIT} printable characters")
    return shown


def check_password(password: str, name: str) -> None:
    """PermanentError for a password that is short, the name, one of the usual ones, or hardly any characters."""
    plain = name_key(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise _weak(f"it has {len(password)} characters, expected {SHORTEST} to {LONGEST}")
    if plain.strip() == name_key(name).strip():
        raise _weak("it is the name")
    if plain in _USUAL:
        raise _weak("it is one of the first that anybody would try")
    if len(set(plain)) < 5:
        raise _weak("it has fewer than five different characters")


def _weak(why: str) -> PermanentError:
    remedy = "A few unrelated words make a good one."
    return PermanentError(f"this password is too weak: {why}. {remedy}", code="weak-password")


class Passwords:
    """Argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane: Password Storage Cheat Sheet)."""

    def __init__(self, *, memory_kib: int = 19_456, passes: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The encoded hash with its own salt and parameters."""
        with self._turns:
            return self._hasher.hash(_normal(password))

    def verify(self, encoded: str | None, password: str) -> bool:
        """Whether a password is right. None (nobody of that name) takes as long as a wrong password, and is False."""
        if len(password) > LONGEST:
            password, encoded = "", None
        with self._turns:
            try:
                right = self._hasher.verify(encoded or self._nobody, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return right and encoded is not None

    def outdated(self, encoded: str) -> bool:
        """True when a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(encoded)


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
