"""A database that falls silent, or stands still, keeps nobody waiting for ever (R72)."""

import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from infra.records.pool import open_pool, session
from infra.settings import Settings, read_settings
from schemas.errors import ConfigurationError, TransientError
from tasks.services import Services
from tests.databases import away


def test_after_how_long_a_silent_database_is_given_up_is_a_setting(tmp_path: Path, database: str) -> None:
    services = Services(Settings(data=tmp_path, database_url=database, database_silence=timedelta(seconds=8)))
    with session(services.pool) as connection:
        used = connection.info.get_parameters()
    assert {name: used[name] for name in used if name.startswith(("keepalives", "tcp_user"))} == {
        "keepalives_idle": "2",
        "keepalives_interval": "2",
        "keepalives_count": "3",
        "tcp_user_timeout": "8000",
    }
    services.close()


@pytest.mark.parametrize("name", ["NAFUDA_DATABASE_SILENCE", "NAFUDA_BROKER_HEARTBEAT"])
@pytest.mark.parametrize("wrong", ["PT0S", "PT0.5S", "-PT5S", "PT1.5S"])
def test_a_silence_that_no_server_can_keep_is_refused_by_name(tmp_path: Path, name: str, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: .*whole seconds"):
        read_settings({name: wrong, "NAFUDA_DATA": str(tmp_path)})


def test_a_database_that_comes_back_is_noticed_within_seconds(server: str, database: str) -> None:
    """However long it was away, by who asks for it now and then, as a heartbeat does (R42)."""
    pool, heard, over = open_pool(database, size=2, name="test"), threading.Event(), threading.Event()

    def ask() -> None:
        while not over.is_set():
            with suppress(TransientError), session(pool):
                heard.set()
            over.wait(1)

    thread = threading.Thread(target=ask)
    thread.start()
    assert heard.wait(10)
    with away(server, database):
        time.sleep(18.5)  # pauses that doubled on would have the next attempt at 31 s
        heard.clear()
    assert heard.wait(7)
    over.set()
    thread.join(20)
    pool.close()
