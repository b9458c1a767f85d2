"""The embedded broker: kombu's pgmq transport on the records' PostgreSQL (R72)."""

from pathlib import Path

import pytest

from infra.broker.config import install_pgmq
from infra.settings import Settings
from tests.broker.contract import BrokerContract


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings of a process on a database with the transport's schema."""
    install_pgmq(database)
    install_pgmq(database)  # again does no harm
    return Settings(data=tmp_path, database_url=database)


class TestPgmq(BrokerContract):
    """The contract, kept by the embedded broker."""
