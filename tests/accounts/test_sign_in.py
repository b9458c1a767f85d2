"""Signing in: passwords, sessions, one-time links and the limit on failures. R76."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.records.accounts import AttemptLimits, PostgresAccounts, SessionLimits
from infra.records.passwords import Passwords
from infra.records.pool import Pool, transaction
from schemas.errors import NotFoundError, PermanentError, TransientError
from schemas.review import Role
from tests.accounts.conftest import CHEAP, GOOD

HOUR, SHORT = timedelta(hours=1), timedelta(milliseconds=60)
HERE = "192.0.2.1"


def _stored(pool: Pool) -> str:
    with transaction(pool) as connection:
        row = connection.execute("SELECT password_hash FROM accounts").fetchone()
    assert row is not None
    return str(row[0])


def test_the_right_password_opens_a_session_that_knows_its_person(accounts: PostgresAccounts) -> None:
    mia = accounts.create("Mia", GOOD, Role.MODERATOR)
    session = accounts.sign_in("mia", GOOD, HERE)
    assert session is not None and accounts.person(session) == mia


@pytest.mark.parametrize(
    ("name", "password"),
    [("mia", "wrong words here"), ("nobody", GOOD), ("linked", ""), ("", ""), ("mia\0", GOOD), ("mia", "\ud800" * 12)],
)
def test_anything_else_opens_nothing(accounts: PostgresAccounts, name: str, password: str) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    accounts.create("linked", None, Role.VIEWER)
    assert accounts.sign_in(name, password, HERE) is None


def test_passwords_are_kept_as_argon2id_with_at_least_the_recommended_parameters(pool: Pool) -> None:
    PostgresAccounts(pool).create("mia", GOOD, Role.VIEWER)
    assert _stored(pool).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_with_older_parameters_is_renewed_when_its_owner_signs_in(
    pool: Pool, accounts: PostgresAccounts
) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    newer = PostgresAccounts(pool, passwords=Passwords(memory_kib=128, passes=1))
    assert newer.sign_in("mia", GOOD, HERE)
    assert "m=128," in _stored(pool)
    assert newer.sign_in("mia", GOOD, HERE)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "5 characters"),
        ("x" * 1025, "1025 characters"),
        ("Mia Musterfrau", "it is the name"),
        ("Password123", "one of the first"),
        ("abababababab", "fewer than five"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(accounts: PostgresAccounts, password: str, why: str) -> None:
    with pytest.raises(PermanentError, match=why):
        accounts.create("mia musterfrau", password, Role.VIEWER)
    accounts.create("mia musterfrau", GOOD, Role.VIEWER)
    with pytest.raises(PermanentError, match=why):
        accounts.set_password("mia musterfrau", password)


def test_a_new_password_ends_the_sessions_and_the_old_password(accounts: PostgresAccounts) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    session = accounts.sign_in("mia", GOOD, HERE)
    accounts.set_password("mia", "quite another phrase")
    assert session is not None and accounts.person(session) is None
    assert accounts.sign_in("mia", GOOD, HERE) is None
    assert accounts.sign_in("mia", "quite another phrase", HERE)


def test_the_same_characters_written_differently_are_the_same_password(accounts: PostgresAccounts) -> None:
    accounts.create("mia", "café noir für zwei", Role.VIEWER)
    assert accounts.sign_in("mia", "cafe\u0301 noir fu\u0308r zwei", HERE)


def test_every_sign_in_has_a_token_of_its_own_and_a_foreign_one_is_nobody(accounts: PostgresAccounts) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    tokens = {accounts.sign_in("mia", GOOD, HERE) for _ in range(3)}
    assert len(tokens) == 3 and all(token is not None and len(token) >= 43 for token in tokens)
    assert accounts.person("chosen-by-an-attacker") is None


def test_only_digests_of_tokens_are_stored(pool: Pool, accounts: PostgresAccounts) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    session, link = accounts.sign_in("mia", GOOD, HERE), accounts.link("mia", HOUR)
    assert session is not None
    with transaction(pool) as connection:
        kept = connection.execute("SELECT digest FROM sessions UNION ALL SELECT digest FROM sign_in_links").fetchall()
    assert [bytes(row[0]) for row in kept] == [hashlib.sha256(t.encode()).digest() for t in (session, link)]


def test_signing_out_ends_this_session_only(accounts: PostgresAccounts) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    one, two = accounts.sign_in("mia", GOOD, HERE), accounts.sign_in("mia", GOOD, HERE)
    assert one is not None and two is not None
    accounts.sign_out(one)
    assert accounts.person(one) is None and accounts.person(two) is not None


@pytest.mark.parametrize("limits", [SessionLimits(longest=SHORT), SessionLimits(idle=SHORT)])
def test_a_session_ends_after_its_time_and_when_nobody_uses_it(pool: Pool, limits: SessionLimits) -> None:
    accounts = PostgresAccounts(pool, passwords=CHEAP, sessions=limits)
    accounts.create("mia", None, Role.VIEWER)
    session = accounts.redeem(accounts.link("mia", HOUR))
    assert session is not None and accounts.person(session) is not None
    time.sleep(0.1)
    assert accounts.person(session) is None


def test_using_a_session_keeps_it_from_idling_out(pool: Pool) -> None:
    patient = PostgresAccounts(pool, passwords=CHEAP)
    patient.create("mia", None, Role.VIEWER)
    session = patient.redeem(patient.link("mia", HOUR))
    assert session is not None
    with transaction(pool) as connection:
        connection.execute("UPDATE sessions SET seen_at = now() - interval '47 hours'")
    assert patient.person(session) is not None
    with transaction(pool) as connection:
        connection.execute("UPDATE sessions SET seen_at = seen_at - interval '47 hours'")
    assert patient.person(session) is not None


def test_a_link_signs_in_once_even_when_many_try(accounts: PostgresAccounts) -> None:
    accounts.create("mia", None, Role.ADMIN)
    link = accounts.link("mia", HOUR)
    with ThreadPoolExecutor(8) as threads:
        sessions = [session for session in threads.map(accounts.redeem, [link] * 8) if session]
    assert len(sessions) == 1 and accounts.person(sessions[0]) is not None
    assert accounts.redeem(link) is None


def test_a_link_runs_out(accounts: PostgresAccounts) -> None:
    accounts.create("mia", None, Role.ADMIN)
    link = accounts.link("mia", timedelta(0))
    assert accounts.redeem(link) is None and accounts.redeem("guess") is None


def test_nobody_has_no_link(accounts: PostgresAccounts) -> None:
    with pytest.raises(NotFoundError):
        accounts.link("nobody", HOUR)


def _limited(pool: Pool, *, by_name: int = 5, by_address: int = 20) -> PostgresAccounts:
    accounts = PostgresAccounts(pool, passwords=CHEAP, attempts=AttemptLimits(by_name, by_address))
    accounts.create("mia", GOOD, Role.VIEWER)
    return accounts


def test_after_too_many_failures_a_name_waits_and_is_told_for_how_long(pool: Pool) -> None:
    accounts = _limited(pool, by_name=3)
    for n in range(3):
        assert accounts.sign_in("mia", "wrong words here", f"192.0.2.{n}") is None
    with pytest.raises(TransientError, match=r"try again in (29\d|300) seconds") as refused:
        accounts.sign_in("MIA", GOOD, "192.0.2.99")
    assert refused.value.code == "rate-limited"
    assert accounts.redeem(accounts.link("mia", HOUR))  # the way in for somebody whom others lock out


def test_an_address_that_tries_many_names_waits_and_others_do_not(pool: Pool) -> None:
    accounts = _limited(pool, by_address=3)
    for n in range(3):
        assert accounts.sign_in(f"guess{n}", "wrong words here", HERE) is None
    with pytest.raises(TransientError, match="too many failed attempts"):
        accounts.sign_in("mia", GOOD, HERE)
    assert accounts.sign_in("mia", GOOD, "192.0.2.2")


def test_attempts_at_once_get_no_more_guesses_than_one_by_one(pool: Pool) -> None:
    accounts = _limited(pool, by_name=5)

    def attempt(_: int) -> str:
        try:
            return str(accounts.sign_in("mia", "wrong words here", HERE))
        except TransientError as error:
            return error.code

    with ThreadPoolExecutor(12) as threads:
        outcomes = list(threads.map(attempt, range(12)))
    assert (outcomes.count("None"), outcomes.count("rate-limited")) == (5, 7)


def test_a_right_password_clears_the_failures_of_its_name(pool: Pool) -> None:
    accounts = _limited(pool, by_name=3)
    for _ in range(3):
        accounts.sign_in("mia", "wrong words here", HERE)
        accounts.sign_in("mia", "wrong words here", HERE)
        assert accounts.sign_in("mia", GOOD, HERE)


def test_failures_are_forgotten_when_they_have_left_the_window(pool: Pool) -> None:
    accounts = _limited(pool, by_name=1)
    accounts.sign_in("mia", "wrong words here", HERE)
    with transaction(pool) as connection:
        connection.execute("UPDATE sign_in_failures SET at = at - interval '5 minutes'")
    assert accounts.sign_in("mia", GOOD, HERE)
    with transaction(pool) as connection:
        assert connection.execute("SELECT count(*) FROM sign_in_failures").fetchone() == (0,)
