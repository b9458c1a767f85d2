"""Where the stack lives: its folder, its cache of installed programs, its ports and its password."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigurationError

USER = "nafuda"
LOOPBACK = "127.0.0.1"
PORTS = 16
_FIRST_PORT, _LAST_PORT = 9200, 9298  # OpenSearch's runner ends without a word when its port is outside
_DEFAULT_PORT = 9232


@dataclass(frozen=True, slots=True)
class Place:
    """One stack: what it keeps lies in `folder`, it listens on `port` and the next fifteen of loopback.

    spool: whether its store keeps notifications on disk until the broker has confirmed them.
    """

    folder: Path
    cache: Path
    port: int
    password: str
    spool: bool = True

    def __post_init__(self) -> None:
        last = _LAST_PORT - PORTS + 1
        if not _FIRST_PORT <= self.port <= last:
            raise ConfigurationError(f"NAFUDA_STACK_PORT is {self.port}; take one from {_FIRST_PORT} to {last}")


def read_place(environment: Mapping[str, str]) -> Place:
    """The place that NAFUDA_STACK_DIR, _CACHE, _PORT and _SPOOL name. Makes its folder."""
    folder = Path(environment.get("NAFUDA_STACK_DIR") or ".stack").absolute()
    cache = Path(environment.get("NAFUDA_STACK_CACHE") or Path.home() / ".cache" / "nafuda-stack").absolute()
    port = environment.get("NAFUDA_STACK_PORT") or str(_DEFAULT_PORT)
    if not port.isdecimal():
        raise ConfigurationError(f"NAFUDA_STACK_PORT is {port!r}; it should be a number, as {_DEFAULT_PORT}")
    spool = environment.get("NAFUDA_STACK_SPOOL") or "on"
    if spool not in ("on", "off"):
        raise ConfigurationError(f"NAFUDA_STACK_SPOOL is {spool!r}; it should be on or off")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Place(folder, cache, int(port), _password(folder / "password"), spool == "on")


def _password(file: Path) -> str:
    """One for all servers of a stack, made once; whole or not there."""
    if not file.exists():
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(16), "ascii")
        fresh.replace(file)
    return file.read_text("ascii")
