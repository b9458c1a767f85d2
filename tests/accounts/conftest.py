"""Accounts on a fresh database, with cheap hashing where its strength is not the question."""

import pytest

from infra.records.accounts import PostgresAccounts
from infra.records.passwords import Passwords
from infra.records.pool import Pool

CHEAP = Passwords(memory_kib=64, passes=1)
GOOD = "four unrelated words"


@pytest.fixture
def accounts(pool: Pool) -> PostgresAccounts:
    return PostgresAccounts(pool, passwords=CHEAP)
