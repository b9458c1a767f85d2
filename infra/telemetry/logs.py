"""Structured logs: one line an event, as text or JSON, with the image, object and event ids at hand."""

import contextlib
import json
import logging
import math
import sys
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_context: ContextVar[dict[str, str]] = ContextVar("nafuda_log_context")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "data"}
_QUIET = timedelta(minutes=1)


@contextlib.contextmanager
def logging_with(**ids: object) -> Iterator[None]:
    """Every line logged inside carries these ids."""
    token = _context.set({**_context.get({}), **{name: str(value) for name, value in ids.items()}})
    try:
        yield
    finally:
        _context.reset(token)


class _Lines(logging.Formatter):
    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in _OWN}
        fields = {**_context.get({}), **extra}
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        if self._form == "json":
            line = {"at": at, "level": record.levelname, "logger": record.name, "message": message, **fields}
            return json.dumps({**line, "trace": trace} if trace else line, default=str, ensure_ascii=False)
        ids = "".join(f" {name}={value}" for name, value in fields.items())
        line_text = one_line(f"{at} {record.levelname:7} {record.name}: {message}{ids}")
        return f"{line_text}\n{trace}" if trace else line_text


class _Seldom(logging.Filter):
    """Lets one line a minute through: a server that is away is no news at each attempt."""

    def __init__(self) -> None:
        super().__init__()
        self._next = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        due = record.created >= self._next
        if due:
            self._next = record.created + _QUIET.total_seconds()
        return due


def one_line(text: str) -> str:
    """A text that can neither begin a line nor steer a terminal: a file's name can hold anything."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def start_logging(form: str, level: str) -> None:
    """Send all logs to standard error in one form."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_Lines(form))
    logging.basicConfig(level=level, handlers=[lines], force=True)
    logging.captureWarnings(True)
    warnings.filterwarnings("ignore", message="You're running the worker with superuser", category=Warning)
    for loud in ("celery.worker.strategy", "celery.app.trace", "kombu", "psycopg.pool", "watchfiles", "httpx2"):
        logging.getLogger(loud).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("opensearch").setLevel(logging.CRITICAL)  # warns of each request; we say each outage once
    logging.getLogger("psycopg.pool").filters = [_Seldom()]
