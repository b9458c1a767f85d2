"""The reckoning of the whole path's benchmark: which rate is the lowest, and a device that only takes time (R61)."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.ceiling import Ceiling, mean
from benchmarks.on_stack import Measured
from benchmarks.pipeline import Report, Round
from benchmarks.timed import MOST, TimedDevice
from infra.models.catalogue import open_catalogue
from schemas.results import ModelOutput
from workers.batching.batch import Batch
from workers.runners import load_runner
from workers.steps.geometry import Geometry

TAGGER = "nafuda/sample-tagger"
SEEN = Measured(
    images=100,
    megapixels=0.1,
    ceiling=Ceiling(decode=8.0, models={}, facts=2.0, cores=2),  # 250 images a second
    batch=20.0,
    rate=100.0,
    cpu={"decoders": 10.0, "python": 5.0, "minio": 3.0},
    load=(0.5, 2.0),
)


def device() -> TimedDevice:
    installed = open_catalogue(None).install(TAGGER)
    return TimedDevice(load_runner(installed.manifest, installed.paths), 0.0)


def batch(count: int, size: tuple[int, int]) -> Batch:
    return Batch(np.zeros((count, *size, 3), np.uint8), (Geometry(1.0, 1.0),) * count)


def test_a_fast_device_is_bound_by_decoding_and_a_slow_one_by_itself() -> None:
    assert SEEN.device == 1600
    assert SEEN.bound == SEEN.ceiling.images_per_second == 250
    assert replace(SEEN, batch=640.0).bound == 50


def test_without_a_timed_device_the_cpu_alone_bounds() -> None:
    sampled = replace(SEEN, batch=None, ceiling=replace(SEEN.ceiling, models={"one": 20.0, "other": 12.0}))
    assert (sampled.device, sampled.bound) == (None, 50)
    assert not any("device" in line for line in sampled.lines())


def test_cores_are_as_busy_as_all_processes_together_make_them() -> None:
    assert SEEN.busy == pytest.approx(0.9)  # 100 images a second, 18 ms each, two cores
    assert SEEN.unavoidable == pytest.approx(8 / 18)


def test_a_timed_device_says_the_same_of_every_image_and_nothing_that_is_held_back() -> None:
    timed = device()
    first, second = timed.forward(batch(2, timed.program.size))
    assert isinstance(first, ModelOutput)
    assert first is second
    said = {timed.labels[number].name for number in first.labels.tolist()}
    assert {"general", "solo", "smile"} <= said
    assert not said & {"sensitive", "questionable", "explicit"}


def test_a_timed_device_takes_no_more_than_it_says() -> None:
    timed = device()
    with pytest.raises(ValueError, match="33 images at once; the device takes 32"):
        timed.forward(batch(MOST + 1, timed.program.size))


def test_a_round_is_held_against_the_ceiling_around_it_and_the_report_against_its_middle() -> None:
    quick, slow = (Ceiling(decode=each / 2, models={"one": each / 2}, facts=2.0, cores=2) for each in (40.0, 60.0))
    around = mean(quick, slow)  # 50 ms an image
    first, second, third = (Round(rate, around, {"python": 30.0}) for rate in (32.0, 20.0, 36.0))
    assert around.images_per_second == 40.0
    assert first.share == pytest.approx(0.8)
    assert first.outside == pytest.approx(30.0 - 25.0)
    report = Report(100, 1.85, (first, second, third), 200.0, 300.0)
    assert report.typical is first
    assert replace(report, rounds=(first, second)).typical is second
