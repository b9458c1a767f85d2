"""Logs: a line an event, whatever strangers put into names."""  # R76

import io
import json
import logging
from collections.abc import Callable

import pytest

from infra.telemetry.logs import one_line, start_logging
from tasks.cli.shared import table

FORGED = "a.png\n2026-01-01 INFO forged: signed in\x1b[2J\u202e\x9b1m\r"


def _forged() -> None:
    logging.getLogger("test").warning("refused: %s", FORGED, extra={"key": FORGED})


@pytest.fixture
def logged() -> Callable[..., str]:
    """What is logged in one form; a warning about a forged key, unless something else is said."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def write(form: str, say: Callable[[], None] = _forged) -> str:
        try:
            start_logging(form, "WARNING")
            stream = io.StringIO()
            root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
            say()
            return stream.getvalue()
        finally:
            logging.captureWarnings(False)
            root.handlers[:], root.level = handlers, level

    return write


def test_a_name_cannot_forge_a_line_or_steer_a_terminal(logged: Callable[[str], str]) -> None:
    line = logged("text")
    assert line.endswith("\n") and line[:-1].isprintable() and r"a.png\n2026" in line


def test_a_json_line_keeps_the_name_in_one_line(logged: Callable[[str], str]) -> None:
    line = logged("json")
    assert line.count("\n") == 1 and json.loads(line)["key"] == FORGED


def test_ordinary_text_stays_as_it_is() -> None:
    assert one_line("Größe 東京.png") == "Größe 東京.png"


def test_a_table_on_a_terminal_cannot_be_steered(capsys: pytest.CaptureFixture[str]) -> None:
    table([(1, FORGED)], ("id", "reason"))
    assert [line.isprintable() for line in capsys.readouterr().out.splitlines()] == [True, True]


def test_attempts_to_connect_to_a_database_that_is_away_are_said_once(logged: Callable[..., str]) -> None:
    def attempts() -> None:
        for _ in range(5):
            logging.getLogger("psycopg.pool").warning("error connecting")

    assert logged("text", attempts).count("error connecting") == 1
