"""One decoding process as its parent sees it: started, asked, and ended for good when anything is odd."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from schemas.errors import DecoderDiedError, ManifestError, NafudaError, RefusedError
from workers.decode import frames, wire
from workers.decode.limits import DecodeLimits

START_SECONDS = 60.0
STOP_SECONDS = 5.0
_ROOT = str(Path(__file__).resolve().parents[2])
# Little of the environment is handed down: a decoder needs no credentials.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
_SET = {
    # The child looks for modules where we found them.
    "PYTHONPATH": os.pathsep.join([_ROOT, *filter(None, sys.path)]),
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class DecodeProcess:
    """A child with limits, and the memory that it shares with us: no names in any file system, gone with us.

    Not thread-safe. The thread that starts it must outlive it: Linux ends it when that thread ends.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        """Start it and wait until it is ready. DecoderDiedError when it does not come up."""
        self._limits = limits
        self.jobs = 0
        self._arenas: tuple[int, ...] = (_arena("nafuda-in"), _arena("nafuda-out"))
        self._child = self._start()
        try:
            requests, answers = self._pipes()
            frames.send(requests, pickle.dumps(limits))
            frames.receive(answers, wire.MAX_REPLY, time.monotonic() + START_SECONDS)
        except (OSError, EOFError, ValueError) as error:
            self.kill()
            raise DecoderDiedError(f"a decoding process did not start ({error}); see its messages above") from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """False once it ended, by whatever cause."""
        return self._child.poll() is None

    def run(self, content: bytes, job: wire.Job) -> wire.Reply:
        """Let it do one job.

        RefusedError and ManifestError as the job found; DecoderDiedError when it died, hung or answered nonsense:
        then it is dead when this returns.
        """
        try:
            self.jobs += 1
            self._share(content, job.room)
            requests, answers = self._pipes()
            frames.send(requests, pickle.dumps((len(content), job)))
            deadline = time.monotonic() + self._limits.wall.total_seconds()
            reply = wire.load(frames.receive(answers, wire.MAX_REPLY, deadline))
        except TimeoutError as error:
            self.kill()
            wall = self._limits.wall.total_seconds()
            raise DecoderDiedError(f"not decoded within {wall:g} s; the process was ended", code="too-slow") from error
        except (OSError, EOFError, ValueError) as error:
            raise self._death(error) from error
        if reply["error"] == "refused":
            raise RefusedError(str(reply["message"]), code=str(reply["code"]))
        if reply["error"]:
            raise ManifestError(str(reply["message"]))
        return reply

    def read(self, target: memoryview, offset: int) -> None:
        """Copy from the shared memory. Reading as from a file: a child that shrinks it cannot crash us."""
        if os.preadv(self._arenas[1], [target], offset) != len(target):
            self.kill()
            raise DecoderDiedError("a decoding process left less than it promised; the image is tried again")

    def close(self) -> None:
        """End it kindly, then surely."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it now and let go of everything; again does no harm."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        for arena in self._arenas:
            os.close(arena)
        self._arenas = ()

    def _start(self) -> subprocess.Popen[bytes]:
        source, target = self._arenas
        return subprocess.Popen(
            [
                sys.executable,
                "-P",  # the working directory may hold anything
                "-m",
                "workers.decode.child",
                *(str(number) for number in (os.getpid(), source, target)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            pass_fds=(source, target),
            env={name: os.environ[name] for name in _KEPT if name in os.environ} | _SET,
            start_new_session=True,  # a signal to our group must not cost the images under way
        )

    def _pipes(self) -> tuple[int, int]:
        if self._child.stdin is None or self._child.stdout is None:
            raise OSError("no pipes to the decoding process")
        return self._child.stdin.fileno(), self._child.stdout.fileno()

    def _share(self, content: bytes, room: int) -> None:
        source, target = self._arenas
        os.ftruncate(source, len(content))
        rest, at = memoryview(content), 0
        while at < len(content):
            at += os.pwrite(source, rest[at:], at)
        os.ftruncate(target, room)

    def _death(self, error: Exception) -> NafudaError:
        """Why there is no answer, once the process is surely dead."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(STOP_SECONDS)
        self.kill()
        if self._child.returncode == -signal.SIGXCPU:
            return RefusedError(
                f"it takes more than {self._limits.cpu.total_seconds():g} s of processor time to decode; "
                "make it smaller",
                code="too-slow",
            )
        return DecoderDiedError(
            f"the decoding process ended with {self._child.returncode} ({error}); the image is tried again alone"
        )


def _arena(name: str) -> int:
    """Anonymous shared memory; it is gone when the last process that has it open is."""
    if sys.platform == "linux":
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
