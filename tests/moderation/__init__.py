"""Suites of policies and their evaluation."""

from importlib import resources

from schemas.policies import parse_policies
from schemas.rules import Policy


def default_policies() -> tuple[Policy, ...]:
    """The pack that a new installation starts with."""
    return parse_policies((resources.files("schemas.policies") / "default.toml").read_text("utf-8"), "default.toml")
