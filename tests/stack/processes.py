"""Processes that outlive whoever started them: each has a session of its own and a note by which it is found again."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from schemas.errors import TransientError

_PROC = Path("/proc")
_END_LIMIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Stat:
    """What the kernel says of a process. `born` tells it from a later one with the same number."""

    pid: int
    parent: int
    session: int
    born: int


def spawn(command: Sequence[str | Path], environment: Mapping[str, str], log: Path, note: Path) -> None:
    """Start a process that stays when we end, and note which it is."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=log.parent,
            start_new_session=True,
        )
    stat = _stat(process.pid)
    if stat is not None:
        note.write_text(f"{stat.pid} {stat.born}", "ascii")


def noted(note: Path) -> int | None:
    """The process id of a note while that very process lives."""
    if not note.exists():
        return None
    pid, born = map(int, note.read_text("ascii").split())
    stat = _stat(pid)
    return pid if stat is not None and stat.born == born else None


def end(note: Path, number: signal.Signals = signal.SIGTERM, limit: timedelta = _END_LIMIT) -> None:
    """End a noted process, with force after `limit`, and whatever is left of its session."""
    pid = noted(note)
    if pid is not None:
        os.kill(pid, number)
        if not _gone(pid, limit):
            os.kill(pid, signal.SIGKILL)
            if not _gone(pid, limit):
                raise TransientError(f"process {pid} of {note} does not end, not even by SIGKILL; look at it")
        _end_session(pid)
    note.unlink(missing_ok=True)


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and keeps its number, which it does until its parent has asked how it ended."""
    return _stat(pid) is None and (_PROC / str(pid)).exists()


def shares_memory(segment: int) -> bool:
    """Whether any process is attached to a System V shared memory segment."""
    rows = (line.split() for line in (_PROC / "sysvipc" / "shm").read_text("ascii").splitlines()[1:])
    return any(int(row[1]) == segment and int(row[6]) > 0 for row in rows)


def tree(root: int) -> list[int]:
    """A process and all below it."""
    stats, found = list(_stats()), [root]
    for pid in found:  # grows while it is walked
        found += [stat.pid for stat in stats if stat.parent == pid]
    return found


def memory(pids: Sequence[int]) -> int:
    """Bytes of memory that processes hold, shared ones counted once."""
    total = 0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text("ascii").splitlines()
        except OSError:  # it ended, or is another user's
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def _end_session(session: int) -> None:
    for stat in _stats():
        if stat.session == session:
            with contextlib.suppress(ProcessLookupError):  # it was ending by itself
                os.kill(stat.pid, signal.SIGKILL)
            _gone(stat.pid, _END_LIMIT)


def _gone(pid: int, limit: timedelta) -> bool:
    deadline = time.monotonic() + limit.total_seconds()
    while _stat(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _stats() -> Iterator[Stat]:
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (stat := _stat(int(entry.name))) is not None:
            yield stat


def _stat(pid: int) -> Stat | None:
    """None when there is no such process, or only a zombie."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Stat(pid, int(fields[1]), int(fields[3]), int(fields[19]))
