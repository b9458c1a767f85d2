"""Logs: a line an event, whatever strangers put into names."""  # R76

import io
import json
import logging
from collections.abc import Callable

import pytest

from infra.telemetry.logs import one_line, start_logging
from tasks.cli.shared import table

FORGED = "a.png\n2026-01-01 INFO forged: signed in\x1b[2J\u202e\x9b1m\r"


@pytest.fixture
def logged() -> Callable[[str], str]:
    """What a warning about a forged key looks like in one form."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def write(form: str) -> str:
        try:
            start_logging(form, "WARNING")
            stream = io.StringIO()
            root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
            logging.getLogger("test").warning("refused: %s", FORGED, extra={"key": FORGED})
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
