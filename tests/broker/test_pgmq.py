"""The embedded broker: kombu's pgmq transport on the records' PostgreSQL (R72)."""

from pathlib import Path

import pytest
from celery import Celery

from infra.broker.config import celery_config, install_pgmq
from infra.settings import Settings
from tests.broker.contract import BrokerContract


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings of a process on a database with the transport's schema."""
    install_pgmq(database)
    install_pgmq(database)  # again does no harm
    return Settings(data=tmp_path, database_url=database)


@pytest.fixture
def sender(settings: Settings) -> Celery:
    """An app that only sends."""
    app = Celery("sender", set_as_current=False)
    app.conf.update(celery_config(settings, consumes=False))
    return app


@pytest.fixture
def receiver(settings: Settings) -> Celery:
    """An app that receives, whose unconfirmed messages come back after a second."""
    app = Celery("receiver", set_as_current=False)
    config = celery_config(settings, consumes=True)
    options = config["broker_transport_options"]
    assert isinstance(options, dict)
    app.conf.update(config, broker_transport_options={**options, "visibility_timeout": 1})
    return app


class TestPgmq(BrokerContract):
    """The contract, kept by the embedded broker."""
