"""Pictures are decoded in processes that may die; each costs one picture, and none outlives its parent (R76)."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from schemas.errors import DecoderDiedError, ManifestError, RefusedError, TransientError
from tests.decode.pictures import corners, noise, save
from workers.decode.facts import describe
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode
from workers.decode.pool import DecodedImage, DecodePool
from workers.steps.program import InputProgram, run_program
from workers.steps.registry import Step

SQUARE = InputProgram((Step("pad_square"), Step("resize", {"size": 224})), (224, 224))
BOXED = InputProgram((Step("letterbox", {"size": 256}),), (256, 256))
PICTURE = save(corners(640, 480), "JPEG")
# Two hundred enlargements to 16 MP: seconds of work on a small picture, and no size limit is broken.
SPIN = InputProgram(tuple(Step("stretch", {"size": size}) for _ in range(200) for size in (4096, 8)), (8, 8))


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with DecodePool(1) as pool:
        yield pool


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_one_decoding_feeds_facts_and_every_program(pool: DecodePool) -> None:
    answer = pool.submit(PICTURE, [SQUARE, BOXED], facts=True).result()
    decoded = decode(PICTURE, DecodeLimits())
    assert answer.facts == describe(decoded)
    assert (answer.width, answer.height) == (640, 480)
    for program, (pixels, geometry) in zip((SQUARE, BOXED), answer.inputs, strict=True):
        expected, expected_geometry = run_program(decoded.image, program)
        assert pixels.dtype == np.uint8
        assert np.array_equal(pixels, expected)
        assert geometry == expected_geometry
    assert answer.millis > 0


def test_an_answer_stays_when_the_next_picture_comes(pool: DecodePool) -> None:
    first = pool.submit(PICTURE, [SQUARE], facts=False).result()
    before = first.inputs[0][0].copy()
    pool.submit(save(noise(300, 300), "PNG"), [SQUARE], facts=True).result()
    assert np.array_equal(first.inputs[0][0], before)
    assert first.facts is None


def test_nothing_asked_is_answered_with_the_size(pool: DecodePool) -> None:
    answer = pool.submit(PICTURE, [], facts=False).result()
    assert (answer.inputs, answer.width) == ((), 640)


def test_a_refusal_crosses_the_process_with_its_code(pool: DecodePool) -> None:
    with pytest.raises(RefusedError, match="pdf") as refusal:
        pool.submit(b"%PDF-1.4", [SQUARE], facts=True).result()
    assert refusal.value.code == "unsupported-format:pdf"
    assert pool.submit(PICTURE, [SQUARE], facts=True).result().facts is not None


def test_a_wrong_program_is_the_manifests_fault(pool: DecodePool) -> None:
    with pytest.raises(ManifestError, match="640 x 480"):
        pool.submit(PICTURE, [InputProgram((), (224, 224))], facts=False).result()


def test_a_render_is_a_small_jpeg(pool: DecodePool) -> None:
    with Image.open(BytesIO(pool.render(PICTURE, 200))) as image:
        assert (image.format, image.size) == ("JPEG", (200, 150))
    with pytest.raises(RefusedError):
        pool.render(b"<svg/>", 200)


def test_many_threads_may_use_one_pool() -> None:
    sizes = [(40 + number, 30) for number in range(24)]
    with DecodePool(2) as pool:
        futures: dict[tuple[int, int], Future[DecodedImage]] = {}

        def submit(part: list[tuple[int, int]]) -> None:
            for size in part:
                futures[size] = pool.submit(save(corners(*size), "PNG"), [SQUARE], facts=True)

        threads = [threading.Thread(target=submit, args=(sizes[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [(futures[size].result().width, futures[size].result().height) for size in sizes] == sizes


def test_closing_finishes_what_was_submitted_and_takes_no_more() -> None:
    pool = DecodePool(1)
    futures = [pool.submit(PICTURE, [SQUARE], facts=True) for _ in range(10)]
    pool.close()
    pool.close()
    assert all(future.result().width == 640 for future in futures)
    assert pool.pids() == ()
    with pytest.raises(TransientError) as closed:
        pool.submit(PICTURE, [], facts=False)
    assert closed.value.code == "pool-closed"


def frozen_child(pool: DecodePool) -> int:
    """A child that will not finish what it is given."""
    wait_until(lambda: len(pool.pids()) == 1)
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGSTOP)
    return pid


def test_a_child_killed_in_the_middle_costs_one_picture() -> None:
    with DecodePool(1) as pool:
        pid = frozen_child(pool)
        lost = pool.submit(PICTURE, [SQUARE], facts=True)
        kept = pool.submit(PICTURE, [SQUARE], facts=True)
        wait_until(lost.running)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(DecoderDiedError, match="-9"):
            lost.result()
        assert kept.result().width == 640
        assert pool.pids() != (pid,)


def test_a_child_killed_between_pictures_costs_none() -> None:
    with DecodePool(1) as pool:
        pool.submit(PICTURE, [], facts=False).result()
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pool.pids() == ())
        assert pool.submit(PICTURE, [SQUARE], facts=True).result().width == 640


def test_a_child_that_hangs_is_ended() -> None:
    with DecodePool(1, DecodeLimits(wall=timedelta(seconds=0.5))) as pool:
        pid = frozen_child(pool)
        with pytest.raises(DecoderDiedError) as late:
            pool.submit(PICTURE, [], facts=False).result()
        assert late.value.code == "too-slow"
        assert pool.submit(PICTURE, [], facts=False).result().width == 640
        assert not Path(f"/proc/{pid}").exists()


def test_a_picture_that_spins_is_refused() -> None:
    with DecodePool(1, DecodeLimits(cpu=timedelta(seconds=1))) as pool:
        with pytest.raises(RefusedError) as refusal:
            pool.submit(PICTURE, [SPIN], facts=False).result()
        assert refusal.value.code == "too-slow"
        assert pool.submit(PICTURE, [], facts=False).result().width == 640


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_processor_time_is_counted_for_each_picture_alone() -> None:
    some, spent = InputProgram(SPIN.steps[:2], (8, 8)), 0.0
    with DecodePool(1, DecodeLimits(cpu=timedelta(seconds=5))) as pool:
        while spent < 1000:
            spent += pool.submit(PICTURE, [some], facts=False).result().millis
        pool.submit(PICTURE, [], facts=False).result()
        (line,) = re.findall(r"Max cpu time +(\d+)", Path(f"/proc/{pool.pids()[0]}/limits").read_text())
        assert int(line) >= 1 + 5


@pytest.mark.skipif(sys.platform != "linux", reason="address space is only limited on Linux")
def test_a_picture_that_needs_too_much_memory_is_refused() -> None:
    large = save(Image.new("RGB", (9000, 9000), "navy"), "PNG")
    with DecodePool(1, DecodeLimits(memory=128 * 2**20)) as pool:
        with pytest.raises(RefusedError) as refusal:
            pool.submit(large, [SQUARE], facts=True).result()
        assert refusal.value.code == "out-of-memory"
        assert pool.submit(PICTURE, [SQUARE], facts=True).result().width == 640


@pytest.mark.skipif(sys.platform != "linux", reason="address space is only limited on Linux")
def test_only_a_fresh_process_refuses_for_lack_of_memory() -> None:
    large = save(Image.new("RGB", (9000, 9000), "navy"), "PNG")
    with DecodePool(1, DecodeLimits(memory=128 * 2**20)) as pool:
        pool.submit(PICTURE, [], facts=False).result()
        used = pool.pids()
        with pytest.raises(RefusedError):
            pool.submit(large, [], facts=False).result()
        assert pool.pids() != used


def test_a_child_knows_no_secrets_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell")
    with DecodePool(1) as pool:
        wait_until(lambda: len(pool.pids()) == 1)
        assert b"do-not-tell" not in Path(f"/proc/{pool.pids()[0]}/environ").read_bytes()


PARENT = """
import sys, time
from workers.decode.pool import DecodePool
if __name__ == "__main__":
    pool = DecodePool(2)
    while len(pool.pids()) < 2:
        time.sleep(.01)
    print(*pool.pids(), flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_parent_leaves_neither_children_nor_shared_memory() -> None:
    before = shared_memory()
    root = str(Path(__file__).parents[2])
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=root) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        os.kill(pids[0], signal.SIGSTOP)  # even one that cannot see its pipe close
        parent.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids))
    assert shared_memory() <= before


def shared_memory() -> set[str]:
    return {file.name for file in Path("/dev/shm").iterdir() if "nafuda" in file.name}


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
