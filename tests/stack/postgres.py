"""PostgreSQL on loopback with a password: the wheel's 18 with pgvector, and Debian's 15 without."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import psycopg

from infra.embedded.postgres import binary
from schemas.errors import ConfigurationError, TransientError
from tests.stack import packages, processes
from tests.stack.places import LOOPBACK, USER
from tests.stack.server import Server

_LAST_LIMIT = timedelta(minutes=2)
_LET_IN = f"host all {USER} {LOOPBACK}/32 scram-sha-256\n"
# As on a server that an operator sets up: the application is no superuser, and vectors lie in a schema of their own.
_ROLE = "CREATE ROLE {user} LOGIN CREATEDB PASSWORD '{password}';\n"
_VECTORS = (
    "CREATE SCHEMA IF NOT EXISTS vectors;\n"
    "GRANT USAGE ON SCHEMA vectors TO PUBLIC;\n"
    "CREATE EXTENSION IF NOT EXISTS vector SCHEMA vectors;\n"
)
_DATABASE = f"CREATE DATABASE {USER} OWNER {USER};\n"


class Postgres(Server):
    """The wheel's server, over TCP."""

    name: ClassVar[str] = "postgres"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_DATABASE_URL"
    ends_at: ClassVar[signal.Signals] = signal.SIGINT  # a fast shutdown: sessions are ended
    vectors: ClassVar[bool] = True

    @property
    def port(self) -> int:
        return self.place.port + 8

    @property
    def url(self) -> str:
        """The application's database, with user and password."""
        return f"postgresql://{USER}:{self.place.password}@{LOOPBACK}:{self.port}/{USER}"

    def install(self) -> None:
        self.program("postgres")

    def program(self, name: str) -> Path:
        """One of its programs."""
        return binary(name)

    def prepare(self) -> None:
        """Make the cluster once, in a folder that gets its name when it is whole."""
        if self._cluster.exists():
            self._await_end_of_the_last()
            return
        home, fresh = self._home, self._home / "new"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        base = ["-U", "postgres", "--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        self._tool([self.program("initdb"), "-D", fresh, *base])
        self._as_superuser("postgres", _ROLE.format(user=USER, password=self.place.password))
        if self.vectors:
            self._as_superuser("template1", _VECTORS)
        self._as_superuser("postgres", _DATABASE)
        (fresh / "pg_hba.conf").write_text(_LET_IN, "ascii")
        fresh.rename(self._cluster)

    def command(self) -> list[str | Path]:
        options = {"listen_addresses": LOOPBACK, "port": str(self.port), "unix_socket_directories": ""}
        options |= {"max_connections": "200", "shared_buffers": "256MB", "jit": "off", "max_wal_size": "1GB"}
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return _as_server_user([self.program("postgres"), "-D", self._cluster, *given])

    def ask(self) -> str:
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                row = connection.execute("SELECT split_part(version(), ' on ', 1)").fetchone()
        except psycopg.OperationalError as error:
            raise TransientError(f"PostgreSQL at {LOOPBACK}:{self.port}: {error}") from error
        return str(row[0]) if row else ""

    def environment(self) -> dict[str, str]:
        return {"NAFUDA_DATABASE_URL": self.url, "NAFUDA_TEST_DATABASE_URL": self.url}

    @property
    def _home(self) -> Path:
        return self.folder / "home"

    @property
    def _cluster(self) -> Path:
        return self._home / "cluster"

    def _await_end_of_the_last(self) -> None:
        """A killed one counts as running while a session finishes its query, and until init collects the process."""
        lock = self._cluster / "postmaster.pid"
        if not lock.exists():
            return
        lines = lock.read_text("ascii").splitlines()
        pid, segment = int(lines[0]), int(lines[6].split()[1]) if len(lines) > 6 else -1  # killed while it started
        deadline = time.monotonic() + _LAST_LIMIT.total_seconds()
        while processes.is_zombie(pid) or processes.shares_memory(segment):
            if time.monotonic() > deadline:
                raise TransientError(f"what is left of a killed PostgreSQL still works on {self._cluster}; end it")
            time.sleep(0.05)

    def _as_superuser(self, database: str, text: str) -> None:
        """SQL while no server runs; nobody can sign in as the superuser."""
        self._tool([self.program("postgres"), "--single", "-j", "-D", self._home / "new", database], text)

    def _tool(self, command: list[str | Path], text: str = "") -> None:
        done = subprocess.run(
            [str(part) for part in _as_server_user(command)],
            input=text,
            capture_output=True,
            text=True,
            env=self.process_environment(),
            cwd="/",
            check=False,
        )
        if done.returncode != 0 or "ERROR:" in done.stderr:
            said = done.stderr.strip()[-500:].replace(self.place.password, "***")
            raise ConfigurationError(f"no cluster could be made in {self._home}: {said}")


class Postgres15(Postgres):
    """Debian's server, the oldest that we support. It has no pgvector: vectors are kept and not searched."""

    name: ClassVar[str] = "postgres15"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_POSTGRES15_URL"
    vectors: ClassVar[bool] = False
    _PROGRAMS: ClassVar[Path] = Path("/usr/lib/postgresql/15/bin")

    @property
    def port(self) -> int:
        return self.place.port + 9

    def install(self) -> None:
        if not (self._PROGRAMS / "postgres").exists():
            packages.debian("PostgreSQL 15 is missing", "postgresql-15")

    def program(self, name: str) -> Path:
        return self._PROGRAMS / name

    def environment(self) -> dict[str, str]:
        """Nothing that Nafuda reads: it stands beside the other one."""
        return {self.stands_for_it: self.url}


def _as_server_user(command: list[str | Path]) -> list[str | Path]:
    """PostgreSQL refuses to run as root: as root, run it as nobody, still able to reach its own folder."""
    if os.geteuid() != 0:
        return command
    setpriv = packages.program("setpriv", "PostgreSQL does not run as root", "util-linux")
    ids = ["--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups"]
    return [setpriv, *ids, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", *command]
