"""The decoding process: `python -m workers.decode.child PARENT IN OUT`, jobs on standard input, answers on output."""

import mmap
import os
import pickle
import sys
import time
from io import BytesIO

import numpy as np
from PIL import Image

from schemas.errors import ManifestError, RefusedError
from workers.decode import frames, wire
from workers.decode.confine import allow_cpu, confine, die_with
from workers.decode.facts import describe, render
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode
from workers.steps.program import run_program

MAX_REQUEST = 2**24


def main(arguments: list[str]) -> None:
    """Serve jobs until standard input closes."""
    parent, source, target = (int(argument) for argument in arguments)
    die_with(parent)
    answers = os.dup(1)
    os.dup2(2, 1)  # a library that prints must not end up in the answers
    limits: DecodeLimits = pickle.loads(frames.receive(0, MAX_REQUEST))
    _warm_up(limits)
    confine(limits)
    frames.send(answers, b"ready")
    while True:
        try:
            request = frames.receive(0, MAX_REQUEST)
        except EOFError:
            return
        size, job = pickle.loads(request)
        frames.send(answers, wire.dump(_answer(source, size, target, job, limits)))


def _warm_up(limits: DecodeLimits) -> None:
    """One small picture all the way, so that the first real one pays for no tables and no imports."""
    sample = BytesIO()
    Image.new("RGB", (64, 48), (200, 100, 50)).save(sample, "JPEG")
    describe(decode(sample.getvalue(), limits))


def _answer(source: int, size: int, target: int, job: wire.Job, limits: DecodeLimits) -> wire.Reply:
    began = time.process_time()
    allow_cpu(limits.cpu)
    try:
        reply = _work(os.pread(source, size, 0), target, job, limits)
    except RefusedError as error:
        return wire.failure("refused", error.code, str(error))
    except ManifestError as error:
        return wire.failure("manifest", error.code, str(error))
    except MemoryError:
        message = f"it needs more than {limits.memory:,} bytes of memory to be decoded; make it smaller"
        return wire.failure("refused", "out-of-memory", message)
    reply["millis"] = (time.process_time() - began) * 1000
    return reply


def _work(content: bytes, target: int, job: wire.Job, limits: DecodeLimits) -> wire.Reply:
    decoded = decode(content, limits, late_colours=isinstance(job, wire.Analyse))
    reply = wire.failure("", "", "")
    reply["width"], reply["height"] = decoded.image.size
    parts: list[bytes | np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = []
    if isinstance(job, wire.Render):
        picture = render(decoded.image, job.longest)
        reply["bytes"] = len(picture)
        parts.append(picture)
    else:
        for program in job.programs:
            pixels, geometry = run_program(decoded.image, program, decoded.correct)
            reply["geometries"].append(wire.geometry_line(geometry))
            parts.append(pixels)
        if job.facts:
            facts = describe(decoded)
            reply["facts"] = wire.facts_line(facts)
            parts.append(facts.thumbnail)
    _put(target, job.room, parts)
    return reply


def _put(target: int, room: int, parts: "list[bytes | np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]") -> None:
    """Lay the parts one after the other into shared memory (written by mapping: no file may be written here)."""
    if not room:
        return
    with mmap.mmap(target, room) as shared:
        at = 0
        for part in parts:
            block = part if isinstance(part, bytes) else np.ascontiguousarray(part).data.cast("B")
            shared[at : at + len(block)] = block
            at += len(block)


if __name__ == "__main__":
    main(sys.argv[1:])
