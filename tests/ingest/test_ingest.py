"""Ingest of a chunk: each object comes to its own end, whatever its neighbours are (R1, R43)."""

import errno
import hashlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import IO

import pytest

from infra.objects.folder import FolderStore
from infra.objects.paths import errors
from infra.records.pool import Pool
from schemas.errors import ChangedError, ConfigurationError, DecoderDiedError, NafudaError, TransientError
from schemas.images import ObjectHead
from tests.decode.pictures import noise, save
from tests.ingest.plant import LIMIT, Plant, in_pairs, picture
from tests.objects.denying import denying
from tests.records.books import STAGES, Books
from workers.decode.pool import DecodePool
from workers.ingest.ingest import THUMBNAILS, thumbnail_key
from workers.steps.program import InputProgram
from workers.steps.registry import Step

RED, GREEN, BLUE = picture((200, 0, 0)), picture((0, 200, 0)), picture((0, 0, 200))
SQUARE = InputProgram((Step("pad_square"), Step("resize", {"size": 8})), (8, 8))


def thumbnail(content: bytes) -> str:
    return thumbnail_key(hashlib.sha256(content).hexdigest())


def test_a_good_image_is_linked_planned_and_has_a_thumbnail_and_inputs(plant: Plant) -> None:
    plant.programs = (SQUARE,)
    plant.put(a_png=RED)
    assert plant.ingest("a.png") == {}
    assert plant.state("a.png") == ["present"]
    assert [claim.subject for claim in plant.books.work().claim(STAGES, 9)] == plant.images("a.png")
    assert plant.derived.head(THUMBNAILS, thumbnail(RED)) is not None
    kept = plant.inputs.take(hashlib.sha256(RED).hexdigest())
    assert kept[SQUARE].pixels.shape == (8, 8, 3)
    assert plant.books.sql("SELECT format, width, height, bytes FROM images") == [("png", 16, 16, len(RED))]


def test_the_same_bytes_twice_in_a_chunk_are_decoded_and_planned_once(plant: Plant) -> None:
    plant.put(a_png=RED, b_png=RED, c_png=BLUE)
    assert plant.ingest("a.png", "b.png", "c.png") == {}
    first, second, third = plant.images("a.png", "b.png", "c.png")
    assert first == second != third
    assert len(plant.books.work().claim(STAGES, 9)) == 2
    assert plant.books.sql("SELECT key FROM objects WHERE known") == [("b.png",)]


def test_known_content_is_linked_without_decoding_it_again(plant: Plant) -> None:
    plant.put(a_png=RED)
    plant.ingest("a.png")
    plant.derived.delete(THUMBNAILS, thumbnail(RED))
    plant.put(b_png=RED)
    assert plant.ingest("b.png") == {}
    assert len(set(plant.images("a.png", "b.png"))) == 1
    assert plant.derived.head(THUMBNAILS, thumbnail(RED)) is None  # decoding would have made it


def test_thumbnails_whose_folder_was_removed_meanwhile_are_kept_all_the_same(plant: Plant) -> None:  # R15
    plant.put(a_png=RED, b_png=BLUE)
    plant.ingest("a.png")
    shutil.rmtree(plant.folder / "derived" / THUMBNAILS)
    assert plant.ingest("b.png") == {}
    assert plant.derived.head(THUMBNAILS, thumbnail(BLUE)) is not None


class Unwilling(FolderStore):
    """A folder on a disk that takes nothing, in the way that a number of the system's says."""

    def __init__(self, root: Path, number: int) -> None:
        super().__init__(root, create=True)
        self.number = number

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        with errors(f"{bucket}/{key}", denied=ConfigurationError):
            raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.ENOTDIR])
def test_images_wait_for_a_place_of_thumbnails_that_takes_nothing(plant: Plant, number: int) -> None:  # R42
    well = plant.derived
    plant.derived = Unwilling(plant.folder / "derived", number)
    plant.put(a_png=RED)
    failed = plant.ingest("a.png")["a.png"]
    assert isinstance(failed, TransientError) and os.strerror(number) in str(failed)
    plant.derived = well
    assert plant.again("a.png") == {} and plant.state("a.png") == ["present"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (RED[:60], "truncated"),
        (b"no picture at all", "not-an-image"),
        (b"", "not-an-image"),
        (RED + b"\0" * LIMIT, "too-large"),
    ],
)
def test_a_bad_image_is_refused_with_its_reason_and_its_neighbours_are_not(plant: Plant, bad: bytes, code: str) -> None:
    plant.put(a_png=RED, b_png=bad, c_png=BLUE)
    assert plant.ingest("a.png", "b.png", "c.png") == {}
    assert plant.state("a.png", "b.png", "c.png") == ["present", "refused", "present"]
    outcome = plant.books.outcome("b.png")
    assert (outcome.outcome, outcome.reason.split(":")[0]) == ("refused", code)


def test_an_object_that_is_gone_before_the_look_is_written_down_as_gone(plant: Plant) -> None:
    plant.put(a_png=RED, b_png=BLUE)
    plant.ingest("a.png", "b.png")
    plant.store.delete("images", "a.png")
    assert plant.ingest("a.png", "b.png", "never.png") == {}
    assert plant.state("a.png", "b.png", "never.png") == ["gone", "present", "gone"]


def test_an_object_that_vanishes_between_look_and_fetch_is_tried_again_and_then_gone(plant: Plant) -> None:
    plant.put(a_png=RED, b_png=BLUE)
    plant.store.before = lambda head: plant.store.delete("images", "a.png")
    errors = plant.ingest("a.png", "b.png")
    assert [(key, type(error)) for key, error in errors.items()] == [("a.png", ChangedError)]
    assert plant.again("a.png") == {}
    assert plant.state("a.png", "b.png") == ["gone", "present"]


def test_an_object_that_changes_while_it_is_read_is_never_linked_to_half_of_it(plant: Plant) -> None:
    plant.put(a_png=RED, b_png=BLUE)

    def overwrite(head: ObjectHead) -> None:
        if head.key == "a.png":
            plant.store.put("images", "a.png", GREEN)

    plant.store.before = overwrite
    assert [error.code for error in plant.ingest("a.png", "b.png").values()] == ["object-changed"]
    assert plant.state("a.png", "b.png") == ["new", "present"]
    plant.store.before = lambda head: None
    assert plant.again("a.png") == {}
    (digest,) = plant.books.sql("SELECT i.sha256 FROM images i JOIN objects o ON o.image = i.id WHERE key = 'a.png'")
    assert digest == (hashlib.sha256(GREEN).hexdigest(),)


def test_an_overwrite_during_ingest_is_ingested_afterwards(plant: Plant) -> None:
    plant.put(a_png=RED)

    def hint(head: ObjectHead) -> None:
        plant.books.note(head.key)

    plant.store.before = hint
    assert plant.ingest("a.png") == {}
    assert plant.state("a.png") == ["new"]  # the answer was void
    plant.store.before = lambda head: None
    assert plant.again("a.png") == {}
    assert plant.state("a.png") == ["present"]


def test_a_hint_about_what_is_as_before_reads_nothing(plant: Plant) -> None:
    plant.put(a_png=RED, b_png=b"refused", c_txt=b"mine")
    keys = ("a.png", "b.png", "c.txt")
    plant.ingest(*keys)
    reads: list[str] = []
    plant.store.before = lambda head: reads.append(head.key)
    assert plant.ingest(*keys) == {}
    assert reads == []
    assert plant.state(*keys) == ["present", "refused", "sidecar"]
    assert plant.books.work().claim(["ingest"], 9) == []


def test_objects_are_fetched_beside_each_other(plant: Plant) -> None:  # R61
    plant.put(a_png=RED, b_png=BLUE, c_png=GREEN, d_png=picture((9, 9, 9)))
    plant.store.before = in_pairs()
    assert plant.ingest("a.png", "b.png", "c.png", "d.png") == {}
    assert plant.state("a.png", "b.png", "c.png", "d.png") == ["present"] * 4


def test_a_key_that_no_folder_can_hold_is_refused(plant: Plant) -> None:
    plant.put(a_png=RED)
    assert plant.ingest("a.png", "a//b.png") == {}
    assert plant.state("a.png", "a//b.png") == ["present", "refused"]


def test_tag_files_are_sidecars_and_bad_ones_are_refused(plant: Plant) -> None:
    plant.put(a_png=RED, a_txt=b"\xef\xbb\xbfMine, Long  Hair\nlong_hair,,", b_txt=b"\xff\xfe", c_txt=b"x," * 200_000)
    assert plant.ingest("a.png", "a.txt", "b.txt", "c.txt") == {}
    assert plant.state("a.txt", "b.txt", "c.txt") == ["sidecar", "refused", "refused"]
    assert [tag.name for tag in plant.books.merged("a.png").tags] == ["long_hair", "mine"]  # R79
    assert [plant.books.outcome(key).reason.split(":")[0] for key in ("b.txt", "c.txt")] == ["bad-sidecar", "too-large"]


def test_a_chunk_is_in_memory_a_portion_at_a_time(plant: Plant) -> None:
    contents = [picture((number + 9, 0, 0)) for number in range(5)]
    keys = [f"{number}.png" for number in range(5)]
    for key, content in zip(keys, contents, strict=True):
        plant.store.put("images", key, content)
    plant.at_once = len(contents[0]) * 2 + 10
    settled: list[int] = []
    plant.store.before = lambda head: settled.append(plant.state(*keys).count("present"))
    assert plant.ingest(*keys) == {}
    assert settled == [0, 0, 2, 2, 4]
    assert plant.state(*keys) == ["present"] * 5


def test_an_object_larger_than_a_portion_is_read_alone(plant: Plant) -> None:
    plant.put(a_png=RED, b_png=BLUE)
    plant.at_once = 1
    assert plant.ingest("a.png", "b.png") == {}
    assert plant.state("a.png", "b.png") == ["present", "present"]


class Killer(FolderStore):
    """The store of thumbnails, and the end of the decoders soon after the first was put into it."""

    def __init__(self, root: Path, decoder: DecodePool) -> None:
        super().__init__(root, create=True)
        self.make_bucket(THUMBNAILS)
        self.decoder: DecodePool | None = decoder

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        if self.decoder:
            time.sleep(0.2)  # into the middle of the next picture, which takes seconds
            for pid in self.decoder.pids():
                os.kill(pid, signal.SIGKILL)
            self.decoder = None
        return super().put(bucket, key, data, content_type)


def test_a_decoder_that_dies_costs_one_image_of_the_chunk(tmp_path: Path, pool: Pool) -> None:
    books = Books(pool)
    books.collection()
    slow = InputProgram(tuple(Step("stretch", {"size": size}) for _ in range(12) for size in (4096, 8)), (8, 8))
    with DecodePool(1) as decoder:
        plant = Plant(tmp_path, books, decoder, programs=(slow,))
        plant.derived = Killer(tmp_path / "derived", decoder)
        plant.put(a_png=RED, b_png=GREEN, c_png=BLUE)
        errors = plant.ingest("a.png", "b.png", "c.png")
    assert {key: (type(error), error.code) for key, error in errors.items()} == {
        "b.png": (DecoderDiedError, "decoder-died")
    }
    assert plant.state("a.png", "b.png", "c.png") == ["present", "new", "present"]


def test_a_store_that_is_away_is_an_error_of_each_object_and_no_refusal(plant: Plant) -> None:
    plant.put(a_png=RED, b_png=save(noise(20, 20), "PNG"))

    def away(head: ObjectHead) -> None:
        if head.key == "a.png":
            raise TransientError("the disk is away", code="away")

    plant.store.before = away
    errors: dict[str, NafudaError] = plant.ingest("a.png", "b.png")
    assert {key: error.code for key, error in errors.items()} == {"a.png": "away"}
    assert plant.state("a.png", "b.png") == ["new", "present"]


@pytest.mark.parametrize("name", ["a.png", "album"])
def test_what_may_not_be_read_waits_and_keeps_the_image_that_it_had(plant: Plant, name: str) -> None:  # R71
    key = "album/a.png"
    plant.store.put("images", key, RED)
    plant.ingest(key)
    before = plant.images(key)
    plant.store.put("images", key, BLUE)
    with denying(name):
        assert [error.code for error in plant.ingest(key).values()] == ["store-denied"]
        assert plant.state(key) == ["present"] and plant.images(key) == before
    assert plant.again(key) == {} and plant.images(key) != before
