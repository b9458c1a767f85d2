"""How a test finds a real server: by the variable that names it."""

import os

from schemas.errors import ConfigurationError


def given(variable: str) -> str:
    """The variable's value. ConfigurationError says how to have one."""
    value = os.environ.get(variable)
    if not value:
        raise ConfigurationError(
            f'{variable} is not set; say `make test-stack`, or `eval "$(python -m tests.stack up)"` and then pytest'
        )
    return value
