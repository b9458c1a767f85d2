"""Decoding many pictures at once in processes that may die: bytes in, facts and models' inputs out."""

import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Generic, Self, TypeVar

import numpy as np

from schemas.errors import DecoderDiedError, NafudaError, TransientError
from schemas.images import ImageFacts
from workers.decode import wire
from workers.decode.limits import DecodeLimits
from workers.decode.process import DecodeProcess
from workers.steps.program import InputProgram

MAX_RENDER_SIDE = 8192

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """One picture, decoded once for everything that was asked.

    inputs: for each program, in order, (H, W, 3) uint8 RGB and its Geometry. width, height: upright pixels.
    millis: processor time of the decoding process.
    """

    facts: ImageFacts | None
    inputs: tuple[wire.Input, ...]
    width: int
    height: int
    millis: float


@dataclass(frozen=True, slots=True)
class _Work(Generic[Result]):
    """One job, how its answer is read, and who waits for it."""

    content: bytes
    job: wire.Job
    read: Callable[[DecodeProcess, wire.Reply], Result]
    future: Future[Result]

    def do(self, child: DecodeProcess) -> bool:
        """Settle the future; False when a fresh child must be asked."""
        try:
            self.future.set_result(self.read(child, child.run(self.content, self.job)))
        except NafudaError as error:
            if error.code == "out-of-memory" and child.jobs > 1:
                child.kill()  # earlier pictures may have left holes: only a fresh process refuses for good
                return False
            self.future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - an answer may be any nonsense, and a dead thread answers nobody
            child.kill()
            self.future.set_exception(DecoderDiedError(f"a decoding process answered nonsense ({error})"))
        return True


# Rank, number, work: the least is next, so that two of a rank keep their order and no two works are compared.
_Turn = tuple[int, int, _Work[DecodedImage] | _Work[bytes] | None]
_NOW, _LATER, _LAST = range(3)


class DecodePool:
    """A number of decoding processes. Every method may be called from any thread.

    Whatever a picture does to its process costs that picture alone: the process is replaced. What was submitted
    waits in memory without bound; a caller that has much submits as answers come.
    """

    def __init__(self, processes: int, limits: DecodeLimits | None = None) -> None:
        """Start the processes; they come up in the background."""
        if processes < 1:
            raise ValueError(f"processes: expected at least 1, got {processes}")
        self._limits = limits or DecodeLimits()
        self._work: queue.PriorityQueue[_Turn] = queue.PriorityQueue()
        self._turns = itertools.count()
        self._lock = threading.Lock()
        self._closed = False
        self._children: dict[int, DecodeProcess] = {}
        self._threads = [
            threading.Thread(target=self._serve, args=(slot,), name=f"decode-{slot}", daemon=True)
            for slot in range(processes)
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self, content: bytes, programs: Sequence[InputProgram], *, facts: bool, later: bool = False
    ) -> Future[DecodedImage]:
        """Decode a picture once and run all programs on it. later: behind all those that cannot wait.

        The future fails with RefusedError (the picture; see `pixels.decode`, and "out-of-memory", "too-slow"),
        ManifestError (a program), DecoderDiedError (the process; trying again may help).
        TransientError "pool-closed" after `close`.
        """
        future: Future[DecodedImage] = Future()
        job = wire.Analyse(tuple(programs), facts)
        self._put(_Work(content, job, partial(_analysed, job), future), _LATER if later else _NOW)
        return future

    def render(self, content: bytes, longest: int) -> bytes:
        """A JPEG to show: upright, sRGB, at most `longest` pixels a side, no metadata. Waits; raises as `submit`."""
        if not 1 <= longest <= MAX_RENDER_SIDE:
            raise ValueError(f"longest: expected 1 to {MAX_RENDER_SIDE}, got {longest}")
        future: Future[bytes] = Future()
        self._put(_Work(content, wire.Render(longest), _rendered, future), _NOW)
        return future.result()

    def pids(self) -> tuple[int, ...]:
        """Process ids of the children that are up."""
        with self._lock:
            return tuple(child.pid for child in self._children.values() if child.alive)

    def close(self) -> None:
        """Finish what was submitted, then end the processes. Again does no harm."""
        with self._lock:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._work.put((_LAST, next(self._turns), None))
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, work: _Work[DecodedImage] | _Work[bytes], rank: int) -> None:
        with self._lock:
            if self._closed:
                raise TransientError("the decoding pool is closed; send the image again", code="pool-closed")
            self._work.put((rank, next(self._turns), work))

    def _serve(self, slot: int) -> None:
        """One thread and its child: a thread must outlive what it starts (see DecodeProcess)."""
        child = self._replace(slot, None)
        while (work := self._work.get()[2]) is not None:
            # A child that ended between two jobs (an operator, the kernel) costs no picture.
            child = self._replace(slot, child)
            if work.future.set_running_or_notify_cancel():
                while isinstance(child, DecodeProcess) and not work.do(child):
                    child = self._replace(slot, child)
                if not isinstance(child, DecodeProcess):
                    work.future.set_exception(child)
            child = self._replace(slot, child)
        if isinstance(child, DecodeProcess):
            child.close()

    def _replace(self, slot: int, child: DecodeProcess | NafudaError | None) -> DecodeProcess | NafudaError:
        """The child when it lives, else a new one, else why there is none."""
        if isinstance(child, DecodeProcess):
            if child.alive:
                return child
            child.kill()
        try:
            new = DecodeProcess(self._limits)
        except OSError as error:
            return DecoderDiedError(f"no decoding process can be started ({error}); free memory or processes")
        except DecoderDiedError as error:
            return error
        with self._lock:
            self._children[slot] = new
        return new


def _analysed(job: wire.Analyse, child: DecodeProcess, reply: wire.Reply) -> DecodedImage:
    at, inputs = 0, []
    for program, geometry in zip(job.programs, wire.geometries(reply, len(job.programs)), strict=True):
        pixels = np.empty(program.shape, np.uint8)
        child.read(pixels.data.cast("B"), at)
        at += program.nbytes
        inputs.append((pixels, geometry))
    facts = None
    if job.facts:
        length = reply["facts"]["thumbnail"] if reply["facts"] else 0
        facts = wire.facts_of(reply, _block(child, at, length, wire.THUMBNAIL_ROOM))
    return DecodedImage(facts, tuple(inputs), int(reply["width"]), int(reply["height"]), float(reply["millis"]))


def _rendered(child: DecodeProcess, reply: wire.Reply) -> bytes:
    return _block(child, 0, reply["bytes"], wire.Render(MAX_RENDER_SIDE).room)


def _block(child: DecodeProcess, at: int, length: int, most: int) -> bytes:
    if not 0 < length <= most:
        raise ValueError(f"{length} bytes where 1 to {most} are expected")
    block = bytearray(length)
    child.read(memoryview(block), at)
    return bytes(block)
