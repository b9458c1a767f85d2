"""How a test finds a real server: by the variable that names it, and how it names one."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from schemas.errors import ConfigurationError


def given(variable: str) -> str:
    """The variable's value. ConfigurationError says how to have one."""
    value = os.environ.get(variable)
    if not value:
        raise ConfigurationError(
            f'{variable} is not set; say `make test-stack`, or `eval "$(python -m tests.stack up)"` and then pytest'
        )
    return value


@contextmanager
def environment(given: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process, for a while: boto3 and the stack's own tools read them."""
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
