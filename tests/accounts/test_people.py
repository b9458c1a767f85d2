"""People: names, roles, and the admin who must stay. R76."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import combinations_with_replacement

import pytest

from infra.records.accounts import PostgresAccounts
from schemas.errors import ConflictError, NotFoundError, PermanentError
from schemas.review import Accounts, Role
from tests.accounts.conftest import GOOD

HOUR = timedelta(hours=1)


def test_the_adapter_fulfils_the_port(accounts: PostgresAccounts) -> None:
    port: Accounts = accounts
    assert port.people() == []


@pytest.mark.parametrize(("lower", "higher"), list(combinations_with_replacement(Role, 2)))
def test_each_role_includes_the_ones_before_it(lower: Role, higher: Role) -> None:
    assert higher.includes(lower)
    assert lower.includes(higher) is (lower is higher)


def test_people_are_listed_by_name(accounts: PostgresAccounts) -> None:
    for name in ("mia", "Ada", "ben"):
        accounts.create(name, GOOD, Role.VIEWER)
    assert [person.name for person in accounts.people()] == ["Ada", "ben", "mia"]


@pytest.mark.parametrize("twin", ["Mia", "MIA", " mia ", "ｍｉａ"])
def test_names_that_look_alike_are_one(accounts: PostgresAccounts, twin: str) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    with pytest.raises(ConflictError, match="taken"):
        accounts.create(twin, GOOD, Role.VIEWER)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "x" * 65, "a\u202eb"])
def test_a_name_that_cannot_be_read_is_refused(accounts: PostgresAccounts, name: str) -> None:
    with pytest.raises(PermanentError, match="cannot be a name"):
        accounts.create(name, GOOD, Role.VIEWER)


def test_a_changed_role_ends_the_sessions(accounts: PostgresAccounts) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    session = accounts.sign_in("mia", GOOD, "::1")
    assert accounts.set_role("mia", Role.MODERATOR).role is Role.MODERATOR
    assert session is not None and accounts.person(session) is None


def test_a_disabled_person_is_out_until_enabled(accounts: PostgresAccounts) -> None:
    accounts.create("mia", GOOD, Role.VIEWER)
    session = accounts.sign_in("mia", GOOD, "::1")
    link = accounts.link("mia", HOUR)
    accounts.disable("mia")
    assert session is not None and accounts.person(session) is None
    assert accounts.redeem(link) is None and accounts.sign_in("mia", GOOD, "::1") is None
    with pytest.raises(NotFoundError, match="enable it first"):
        accounts.link("mia", HOUR)
    accounts.enable("mia")
    assert accounts.sign_in("mia", GOOD, "::1")


def test_the_last_admin_can_be_neither_disabled_nor_demoted(accounts: PostgresAccounts) -> None:
    accounts.create("ada", None, Role.ADMIN)
    accounts.create("eve", None, Role.ADMIN)
    accounts.disable("eve")
    with pytest.raises(ConflictError, match="last admin"):
        accounts.disable("ada")
    with pytest.raises(ConflictError, match="last admin"):
        accounts.set_role("ada", Role.MODERATOR)


def test_two_admins_who_demote_each_other_leave_one(accounts: PostgresAccounts) -> None:
    names = [f"admin{n}" for n in range(8)]
    for name in names:
        accounts.create(name, None, Role.ADMIN)

    def demote(name: str) -> None:
        with contextlib.suppress(ConflictError):
            accounts.set_role(name, Role.VIEWER)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(demote, names))
    assert [person.role for person in accounts.people()].count(Role.ADMIN) == 1


@pytest.mark.parametrize("change", ["set_role", "set_password", "disable", "enable"])
def test_changing_nobody_is_not_found(accounts: PostgresAccounts, change: str) -> None:
    values = {"set_role": (Role.VIEWER,), "set_password": (GOOD,)}.get(change, ())
    with pytest.raises(NotFoundError, match="no account 'nobody'"):
        getattr(accounts, change)("nobody", *values)
