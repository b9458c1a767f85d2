"""A hint whose work cannot be done now: said once, however many come, and when it goes on (R42, R72)."""

import logging

import pytest

from schemas.errors import TransientError
from schemas.pipeline import MERGE
from tasks.app import build_app
from tasks.services import Services


def test_hints_in_an_outage_say_it_once_and_that_it_is_over(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    away = True

    def run() -> None:
        if away:
            raise TransientError("the disk is full")

    hint = build_app(services, {MERGE: run}).tasks[f"nafuda.{MERGE}"]
    for _ in range(3):
        hint.apply()
    away = False
    hint.apply()
    said = [line for line in caplog.records if line.name == "tasks.outage"]
    assert [line.message for line in said] == [
        "what merge needs is away, what is meant for it waits: the disk is full",
        "what merge needs is back",
    ]
    assert not [line for line in caplog.records if line.exc_info]


def test_an_error_that_nobody_foresaw_is_told_with_its_place(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    def run() -> None:
        raise KeyError("unforeseen")

    build_app(services, {MERGE: run}).tasks[f"nafuda.{MERGE}"].apply()
    assert [line for line in caplog.records if line.exc_info and "unforeseen" in caplog.text]
