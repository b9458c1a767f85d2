"""Share of a device's ceiling that the batcher reaches: `python -m benchmarks.batching`.

The device sleeps 20 ms for each batch of at most 32 images of 448 x 448 (ceiling 1,600 images/s). Callers
submit messages of 1 to 64 prepared images; `in flight` is how many messages a caller has submitted before it
waits for the oldest one. Pixels are really copied into the ring.
"""

import argparse
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from schemas.results import ModelOutput
from workers.batching.batch import Batch, Prepared
from workers.batching.batcher import Batcher, BatcherOptions
from workers.batching.ticket import Ticket
from workers.steps.geometry import Geometry

MOST = 32
BATCH_SECONDS = 0.020
CEILING = MOST / BATCH_SECONDS
SIZE = (448, 448)
PATIENCE = timedelta(seconds=60)


class TimedDevice:
    """Takes 20 ms for a batch, whatever is in it, and counts batches."""

    def __init__(self) -> None:
        self.batches = 0

    def forward(self, batch: Batch) -> Sequence[ModelOutput]:
        """The contract of Runner.forward."""
        time.sleep(BATCH_SECONDS)
        self.batches += 1
        return [ModelOutput.empty()] * len(batch)


def measure(message: int, callers: int, in_flight: int, seconds: float) -> tuple[float, float, float]:
    """Images per second, images per batch, and CPU milliseconds per image (copy and hand-over)."""
    device = TimedDevice()
    batcher = Batcher(device.forward, BatcherOptions(SIZE, MOST))
    images = [Prepared(np.zeros((*SIZE, 3), np.uint8), Geometry(448.0, 448.0)) for _ in range(message)]
    end = time.perf_counter() + seconds
    counts = [0] * callers

    def call(number: int) -> None:
        under_way: deque[Ticket] = deque()
        while time.perf_counter() < end or under_way:
            if time.perf_counter() < end and len(under_way) < in_flight:
                under_way.append(batcher.submit(images))
            else:
                counts[number] += len(under_way.popleft().results(PATIENCE))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    started, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken, cpu = time.perf_counter() - started, time.process_time() - cpu
    batcher.close(PATIENCE)
    done = sum(counts)
    return done / taken, done / device.batches, cpu * 1000 / done


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="for each row")
    seconds = parser.parse_args().seconds
    print("| images a message | in flight | callers | images/s | share of ceiling | images a batch | CPU ms an image |")
    print("|---|---|---|---|---|---|---|")
    for message, in_flight in ((1, 1), (1, 64), (16, 1), (16, 2), (32, 1), (64, 1)):
        for callers in (1, 2, 3, 4):
            rate, size, cpu = measure(message, callers, in_flight, seconds)
            print(
                f"| {message} | {in_flight} | {callers} | {rate:.0f} | {rate / CEILING:.0%} | {size:.1f} | {cpu:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
