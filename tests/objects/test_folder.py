"""The folder as an object store: the contract, and what only a folder can do wrong."""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.objects.folder import UNFINISHED, FolderStore
from infra.objects.paths import files
from schemas.errors import ConfigurationError, DeniedError, NotFoundError, PermanentError, TransientError
from tests.objects.contract import ObjectStoreContract
from tests.objects.denying import denying


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "buckets"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root, create=True)


@pytest.fixture
def bucket(store: FolderStore) -> str:
    store.make_bucket("photos")
    return "photos"


class TestTheFolder(ObjectStoreContract):
    """The contract holds."""


BAD_KEYS = [
    "",
    "/",
    "/absolute.png",
    "folder/",
    "a//b.png",
    "..",
    "../outside.png",
    "a/../../outside.png",
    "a/../b.png",
    "./a.png",
    ".hidden.png",
    "a/.hidden/b.png",
    f"{UNFINISHED}/x",
    "a\0b.png",
    "half\ud800.png",
    "x" * 256,
    "ü" * 128 + ".png",
    "/".join(["y" * 200] * 6),
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_no_file_can_have_is_refused_everywhere(
    root: Path, store: FolderStore, bucket: str, key: str
) -> None:
    (root / "outside.png").write_bytes(b"secret")
    for refuse in (
        store.head,
        store.delete,
        lambda b, k: store.put(b, k, b"x"),
        lambda b, k: store.open(b, k).__enter__(),
    ):
        with pytest.raises(PermanentError, match="key") as refused:
            refuse(bucket, key)
        assert refused.value.code == "bad-key"
    assert (root / "outside.png").read_bytes() == b"secret"
    assert list(store.list(bucket)) == []


@pytest.mark.parametrize("name", ["", "..", ".", ".hidden", "a/b", "a\0b", "x" * 256])
def test_a_bucket_is_a_visible_folder_of_the_root(store: FolderStore, name: str) -> None:
    with pytest.raises(PermanentError):
        store.make_bucket(name)
    with pytest.raises(PermanentError):
        store.head(name, "a")
    with pytest.raises(PermanentError):
        list(store.list(name))


def test_a_link_leads_nowhere(tmp_path: Path, root: Path, store: FolderStore, bucket: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"secret")
    (root / bucket / "file.png").symlink_to(outside / "secret.png")
    (root / bucket / "folder").symlink_to(outside)
    (root / "linked-bucket").symlink_to(outside)
    assert store.buckets() == [bucket]
    assert list(store.list(bucket)) == list(store.list(bucket, "folder/")) == []
    for place in [(bucket, "file.png"), (bucket, "folder/secret.png"), ("linked-bucket", "secret.png")]:
        assert store.head(*place) is None
        with pytest.raises(NotFoundError), store.open(*place):
            pass
        store.delete(*place)
    for place in [(bucket, "folder/new.png"), ("linked-bucket", "new.png")]:
        with pytest.raises(PermanentError):
            store.put(*place, b"x")
    assert [path.name for path in outside.iterdir()] == ["secret.png"]


def test_a_put_replaces_a_link_and_not_what_it_points_to(
    tmp_path: Path, root: Path, store: FolderStore, bucket: str
) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (root / bucket / "a.png").symlink_to(tmp_path / "secret.png")
    store.put(bucket, "a.png", b"mine")
    assert (tmp_path / "secret.png").read_bytes() == b"secret"
    assert [head.key for head in store.list(bucket)] == ["a.png"]


def test_a_link_at_the_place_for_unfinished_objects_is_not_written_through(
    tmp_path: Path, root: Path, store: FolderStore, bucket: str
) -> None:
    (tmp_path / "outside").mkdir()
    (root / bucket / UNFINISHED).symlink_to(tmp_path / "outside")
    with pytest.raises(PermanentError):
        store.put(bucket, "a.png", b"x")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_pipe_named_like_a_picture_blocks_nobody(root: Path, store: FolderStore, bucket: str) -> None:
    os.mkfifo(root / bucket / "pipe.png")
    assert store.head(bucket, "pipe.png") is None
    assert list(store.list(bucket)) == []
    with pytest.raises(NotFoundError), store.open(bucket, "pipe.png"):
        pass


def test_hidden_files_and_names_that_are_no_text_are_not_objects(root: Path, store: FolderStore, bucket: str) -> None:
    (root / bucket / ".DS_Store").write_bytes(b"x")
    (root / bucket / ".git").mkdir()
    (root / bucket / ".git" / "a.png").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(root / bucket) + b"/\xff.png")).write_bytes(b"x")
    (root / ".secret").mkdir()
    (root / "loose.png").write_bytes(b"x")
    assert list(store.list(bucket)) == []
    assert store.buckets() == [bucket]


def _rewrite(path: Path) -> None:
    path.write_bytes(b"new")


def _rewrite_with_the_old_time(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"new")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _move_another_over_it(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"new")
    shutil.copystat(path, other)
    other.replace(path)


@pytest.mark.parametrize("edit", [_rewrite, _rewrite_with_the_old_time, _move_another_over_it])
def test_an_edit_by_another_program_changes_the_etag_and_is_noticed(
    root: Path, store: FolderStore, bucket: str, edit: Callable[[Path], None]
) -> None:  # R71
    store.put(bucket, "a.png", b"old")
    time.sleep(0.02)  # beyond the clock tick of older kernels
    head = store.head(bucket, "a.png")
    edit(root / bucket / "a.png")
    now = store.head(bucket, "a.png")
    assert head is not None and now is not None and head.etag != now.etag and head.size == now.size
    with pytest.raises(TransientError, match="changed"):
        store.read(head, 10)
    assert store.read(now, 10) == b"new"


def test_a_file_that_grows_is_read_later(root: Path, store: FolderStore, bucket: str) -> None:
    head = store.put(bucket, "a.png", b"half")
    with (root / bucket / "a.png").open("ab") as stream:
        stream.write(b" and more")
    with pytest.raises(TransientError):
        store.read(head, 100)


def test_a_file_that_was_replaced_is_not_erased(store: FolderStore, bucket: str) -> None:  # R76
    store.put(bucket, "a", b"old")
    (head,) = store.versions(bucket)
    store.put(bucket, "a", b"new")
    assert not store.erase(head)
    assert [each.size for each in store.list(bucket)] == [3]


class _Disturbed(FolderStore):
    """A store whose files are rewritten by somebody else while they are read."""

    @contextmanager
    def open(self, bucket: str, key: str, version: str = "") -> Iterator[IO[bytes]]:
        with super().open(bucket, key, version) as stream:
            path = self.root.path / bucket / key
            yield cast(IO[bytes], _Disturbing(stream, path))


class _Disturbing:
    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.fileno = stream.fileno
        self._stream, self._path = stream, path

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        _rewrite(self._path)
        return content


def test_a_file_that_changes_in_the_middle_of_a_read_is_read_later(root: Path, bucket: str) -> None:  # R71
    store = _Disturbed(root)
    head = store.put(bucket, "a.png", b"old")
    time.sleep(0.02)  # beyond the clock tick of older kernels
    with pytest.raises(TransientError, match="changed"):
        store.read(head, 10)


def test_a_file_and_a_folder_cannot_share_a_name(store: FolderStore, bucket: str) -> None:
    store.put(bucket, "a", b"x")
    with pytest.raises(PermanentError, match="use another key"):
        store.put(bucket, "a/b", b"x")
    store.put(bucket, "c/d", b"x")
    with pytest.raises(PermanentError, match="use another key"):
        store.put(bucket, "c", b"x")
    assert [head.key for head in store.list(bucket)] == ["a", "c/d"]


def test_a_delete_leaves_folders_that_hold_something(root: Path, store: FolderStore, bucket: str) -> None:
    store.put(bucket, "a/b/c", b"x")
    store.put(bucket, "a/d", b"x")
    store.delete(bucket, "a/b/c")
    assert not (root / bucket / "a/b").exists()
    assert (root / bucket / "a/d").exists()
    store.delete(bucket, "a/d")
    assert store.buckets() == [bucket]


def test_what_dead_writers_left_is_removed_after_a_day(root: Path, store: FolderStore, bucket: str) -> None:
    store.put(bucket, "a", b"x")
    drafts = root / bucket / UNFINISHED
    assert list(drafts.iterdir()) == []
    for name, age in (("old", 100_000), ("young", 10)):
        (drafts / name).write_bytes(b"half")
        os.utime(drafts / name, (time.time() - age, time.time() - age))
    FolderStore(root)
    assert [path.name for path in drafts.iterdir()] == ["young"]


def test_a_folder_that_went_away_is_not_an_empty_one(
    tmp_path: Path, root: Path, store: FolderStore, bucket: str
) -> None:
    store.put(bucket, "a", b"x")
    root.rename(tmp_path / "unmounted")
    for look in (store.buckets, lambda: store.head(bucket, "a"), lambda: list(store.list(bucket))):
        with pytest.raises(TransientError, match="mount it"):
            look()
    root.mkdir()
    (root / bucket).mkdir()
    with pytest.raises(TransientError, match="mount it"):
        store.head(bucket, "a")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_what_may_not_be_read_is_denied_for_now_and_no_fault_of_the_object(
    store: FolderStore, bucket: str, number: int
) -> None:  # R71
    head = store.put(bucket, "album/a.png", b"x")
    reads: list[Callable[[], object]] = [
        lambda: store.head(bucket, "album/a.png"),
        lambda: store.look(bucket, "album/a.png", lambda size: True),
        lambda: list(store.list(bucket)),
        lambda: list(store.list(bucket, "album/")),
        lambda: list(store.versions(bucket)),
        lambda: store.read(head, 9),
    ]
    for read in reads:
        with denying("album", number=number), pytest.raises(DeniedError, match="album") as refused:
            read()
        assert os.strerror(number) in str(refused.value)
    with denying("a.png", number=number):
        assert store.head(bucket, "album/a.png") == head
        with pytest.raises(DeniedError, match=r"album/a\.png"):
            store.read(head, 9)


def test_who_starts_or_writes_without_the_right_is_told_at_once(root: Path, store: FolderStore, bucket: str) -> None:
    store.put(bucket, "album/a.png", b"x")
    writes: list[Callable[[], object]] = [
        lambda: store.put(bucket, "album/b.png", b"x"),
        lambda: store.delete(bucket, "album/a.png"),
        lambda: store.make_bucket("album"),
        lambda: FolderStore(root),
    ]
    for write in writes:
        with denying("album", root.name), pytest.raises(ConfigurationError, match="right"):
            write()


def test_a_folder_that_may_not_be_read_is_named_and_only_that_of_the_disk_passed_over(
    store: FolderStore, bucket: str
) -> None:  # R71
    for key in ("a.png", "album/old/b.png", "lost+found/c.png", "z.png"):
        store.put(bucket, key, b"x")
    with denying("lost+found"):
        assert [head.key for head in store.list(bucket)] == ["a.png", "album/old/b.png", "z.png"]
    with denying("old"), pytest.raises(TransientError, match="album/old/"):
        list(store.list(bucket))
    assert len(list(store.list(bucket))) == 4


def test_a_store_is_not_made_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such folder"):
        FolderStore(tmp_path / "missing")


def test_identities_survive_a_restart(root: Path, store: FolderStore, bucket: str) -> None:
    head = store.put(bucket, "a.png", b"x")
    assert FolderStore(root).head(bucket, "a.png") == head


def test_a_time_out_of_range_is_no_error(root: Path, store: FolderStore, bucket: str) -> None:
    (root / bucket / "a.png").write_bytes(b"x")
    os.utime(root / bucket / "a.png", (-(2**40), -(2**40)))
    assert store.head(bucket, "a.png") is not None


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.PNG", "image/png"),
        ("a.jpeg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.txt", "text/plain"),
        ("a", ""),
        ("a.xyz", ""),
    ],
)
def test_the_extension_says_the_content_type(store: FolderStore, bucket: str, key: str, expected: str) -> None:
    assert store.put(bucket, key, b"x", "application/octet-stream").content_type == expected


def test_an_old_version_is_not_there(store: FolderStore, bucket: str) -> None:
    store.put(bucket, "a", b"x")
    assert store.head(bucket, "a", "v1") is None


NAMES = st.text(st.sampled_from("ab-.0é/"), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(NAMES, max_size=12), prefix=st.text(st.sampled_from("ab-.0é/"), max_size=3), at_once=st.integers(1, 3)
)
def test_any_tree_is_listed_in_order_however_few_names_fit_in_memory(
    store: FolderStore, bucket: str, keys: list[str], prefix: str, at_once: int
) -> None:
    shutil.rmtree(store.root.path / bucket)
    store.make_bucket(bucket)
    stored = set()
    for key in keys:
        try:
            store.put(bucket, key, b"x")
        except PermanentError:
            continue
        stored.add(key)
    expected = sorted((key for key in stored if key.startswith(prefix)), key=str.encode)
    assert [head.key for head in store.list(bucket, prefix)] == expected
    with store.root.folder([bucket]) as start:
        assert [key for key, _ in files(start, "", prefix, at_once)] == expected
