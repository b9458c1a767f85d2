"""A watched folder: what is announced when files come, change and go, on real files."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from infra.objects.folder import FolderStore
from infra.objects.inotify import unwatched
from infra.objects.watch import FolderWatcher
from schemas.errors import TransientError
from schemas.events import EventKind
from tests.objects.denying import denying
from tests.objects.watching import Watched, until, watching

MODES = pytest.mark.parametrize("polling", [False, True], ids=["told", "polling"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "buckets"


@pytest.fixture
def store(root: Path) -> FolderStore:
    store = FolderStore(root, create=True)
    store.make_bucket("b")
    return store


def test_the_first_change_asks_to_compare_every_bucket(store: FolderStore) -> None:  # R71
    store.make_bucket("a")
    store.put("b", "before.png", b"x")
    with watching(store) as watched:
        assert watched.changes[0].rescan == (("a", ""), ("b", ""))


@MODES
def test_a_dropped_file_and_an_upload_give_the_same_event(root: Path, store: FolderStore, polling: bool) -> None:  # R71
    with watching(store, polling=polling) as watched:
        (root / "b" / "dropped.png").write_bytes(b"bytes")
        head = store.put("b", "deep/er/ü put.png", b"bytes")
        until(lambda: watched.created("b/dropped.png", "b/deep/er/ü put.png"), watched)
        (event, *_) = [event for event in watched.events if event.key == head.key]
        assert (event.etag, event.size, event.source, event.at) == (head.etag, 5, "folder", head.modified)
        assert {event.key for event in watched.events} == {"dropped.png", "deep/er/ü put.png"}


@MODES
def test_an_overwrite_and_a_delete_are_announced(root: Path, store: FolderStore, polling: bool) -> None:  # R71
    store.put("b", "a.png", b"old")
    with watching(store, polling=polling) as watched:
        head = store.put("b", "a.png", b"newer")
        until(lambda: any(event.etag == head.etag for event in watched.events), watched)
        (root / "b" / "a.png").unlink()
        until(lambda: watched.removed("b/a.png"), watched)
        assert watched.events[-1].kind is EventKind.REMOVED


@MODES
def test_a_new_bucket_is_watched(root: Path, store: FolderStore, polling: bool) -> None:
    with watching(store, polling=polling) as watched:
        store.make_bucket("new")
        store.put("new", "first.png", b"x")
        until(lambda: watched.created("new/first.png"), watched)
        store.put("new", "second.png", b"x")
        until(lambda: watched.created("new/second.png"), watched)


@MODES
def test_a_folder_moved_in_gives_an_event_for_each_file(
    tmp_path: Path, root: Path, store: FolderStore, polling: bool
) -> None:
    for number in range(30):
        path = tmp_path / "album" / str(number % 3) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    with watching(store, polling=polling) as watched:
        (tmp_path / "album").rename(root / "b" / "album")
        until(lambda: watched.created(*(f"b/album/{n % 3}/{n}.png" for n in range(30))), watched)
        (root / "b" / "album" / "2" / "later.png").write_bytes(b"x")
        until(lambda: watched.created("b/album/2/later.png"), watched)


@MODES
def test_a_folder_that_is_renamed_asks_to_compare_its_old_name(root: Path, store: FolderStore, polling: bool) -> None:
    for key in ("old/a.png", "old/deep/b.png", "other.png"):
        store.put("b", key, b"x")
    with watching(store, polling=polling) as watched:
        (root / "b" / "old").rename(root / "b" / "new")
        until(lambda: watched.created("b/new/a.png", "b/new/deep/b.png"), watched)
        until(lambda: watched.removed("b/old/a.png", "b/old/deep/b.png"), watched)
        assert not watched.removed("b/other.png")


@MODES
def test_a_folder_that_is_removed_or_moved_out_asks_to_compare_it(
    tmp_path: Path, root: Path, store: FolderStore, polling: bool
) -> None:
    for key in ("gone/a.png", "gone/deep/b.png", "out/c.png", "kept.png"):
        store.put("b", key, b"x")
    with watching(store, polling=polling) as watched:
        shutil.rmtree(root / "b" / "gone")
        (root / "b" / "out").rename(tmp_path / "out")
        until(lambda: watched.removed("b/gone/a.png", "b/gone/deep/b.png", "b/out/c.png"), watched)
        assert not watched.removed("b/kept.png")
        shutil.rmtree(root / "b")
        until(lambda: watched.removed("b/kept.png"), watched)


def test_a_folder_that_takes_anothers_name_asks_to_compare_it(tmp_path: Path, root: Path, store: FolderStore) -> None:
    store.put("b", "album/old.png", b"x")
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "new.png").write_bytes(b"x")
    with watching(store) as watched:
        (root / "b" / "album").rename(tmp_path / "away")
        (tmp_path / "album").rename(root / "b" / "album")
        until(lambda: watched.created("b/album/new.png") and watched.removed("b/album/old.png"), watched)


@MODES
def test_a_file_that_is_renamed_goes_and_comes(root: Path, store: FolderStore, polling: bool) -> None:
    store.put("b", "a.png", b"x")
    with watching(store, polling=polling) as watched:
        (root / "b" / "a.png").rename(root / "b" / "b.png")
        until(lambda: watched.created("b/b.png") and watched.removed("b/a.png"), watched)


def test_no_file_is_missed_while_folders_are_made(root: Path, store: FolderStore) -> None:
    expected = []
    with watching(store) as watched:
        for number in range(60):
            folder = root / "b" / f"{number}" / "x" / "y"
            folder.mkdir(parents=True)
            for depth in (folder, folder.parent, folder.parent.parent):
                (depth / "a.png").write_bytes(b"x")
                expected.append(str((depth / "a.png").relative_to(root)))
        until(lambda: watched.created(*expected), watched)


def test_a_tree_that_is_copied_in_is_announced_whole(tmp_path: Path, root: Path, store: FolderStore) -> None:
    expected = []
    for number in range(200):
        path = tmp_path / "tree" / f"{number % 20}" / f"{number % 7}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 5000)
        expected.append(str(Path("b") / path.relative_to(tmp_path)))
    with watching(store) as watched:
        shutil.copytree(tmp_path / "tree", root / "b" / "tree")
        until(lambda: watched.created(*expected), watched)


def test_the_last_event_of_a_slow_copy_tells_the_whole_file(root: Path, store: FolderStore) -> None:
    with watching(store) as watched:
        with (root / "b" / "big.png").open("wb") as stream:
            for _ in range(20):
                seen = len(watched.events)
                stream.write(b"x" * 10_000)
                stream.flush()
                until(partial(_more, watched, seen), watched)
        head = store.head("b", "big.png")
        until(lambda: head is not None and watched.events[-1].etag == head.etag, watched)


def _more(watched: Watched, seen: int) -> bool:
    return len(watched.events) > seen


def test_hidden_and_foreign_names_are_not_announced(root: Path, store: FolderStore) -> None:
    with watching(store) as watched:
        (root / "b" / ".DS_Store").write_bytes(b"x")
        (root / ".hidden").mkdir()
        (root / "loose.png").write_bytes(b"x")
        (root / "b" / ".git").mkdir()
        (root / "b" / ".git" / "a.png").write_bytes(b"x")
        store.put("b", "last.png", b"x")
        until(lambda: watched.created("b/last.png"), watched)
        assert {event.key for event in watched.events} == {"last.png"}


def test_changed_rights_of_a_folder_announce_nothing(root: Path, store: FolderStore) -> None:
    store.put("b", "album/a.png", b"x")
    with watching(store) as watched:
        (root / "b" / "album").chmod(0o700)
        store.put("b", "last.png", b"x")
        until(lambda: watched.created("b/last.png"), watched)
        assert {event.key for event in watched.events} == {"last.png"}
        assert not watched.rescans


@MODES
def test_folders_that_may_not_be_read_silence_no_others(root: Path, store: FolderStore, polling: bool) -> None:  # R71
    store.put("b", "album/a.png", b"x")
    store.make_bucket("c")
    with denying("album"), watching(store, polling=polling) as watched:
        (root / "b" / "album" / "new.png").write_bytes(b"x")
        (root / "b" / "album").chmod(0o700)
        (root / "c" / "other.png").write_bytes(b"x")
        until(lambda: watched.created("c/other.png"), watched)
        assert not watched.errors and not watched.created("b/album/new.png")


def test_what_can_no_longer_be_polled_is_not_gone(root: Path, store: FolderStore) -> None:  # R71
    store.put("b", "album/a.png", b"x")
    store.put("b", "z.png", b"x")
    with watching(store, polling=True) as watched:
        with denying("album"):
            (root / "b" / "0.png").write_bytes(b"x")
            until(lambda: watched.created("b/0.png"), watched)
        (root / "b" / "z.png").unlink()
        until(lambda: watched.removed("b/z.png"), watched)
        assert not watched.removed("b/album/a.png")


def test_a_folder_that_went_away_is_an_error_and_not_silence(tmp_path: Path, root: Path, store: FolderStore) -> None:
    with watching(store) as watched:
        root.rename(tmp_path / "unmounted")
        with pytest.raises(TransientError, match="mount it"):
            until(lambda: False, watched)


def test_a_stopped_watcher_ends(store: FolderStore) -> None:
    stop = Event()
    changes = FolderWatcher(store).changes(stop)
    assert next(changes).rescan == (("b", ""),)
    stop.set()
    assert list(changes) == []


def test_what_linux_watches_can_be_told(root: Path, store: FolderStore, tmp_path: Path) -> None:
    with watching(store):
        assert unwatched([root, root / "b", root / "missing"]) == []
        assert unwatched([tmp_path]) in ([tmp_path], [])  # [] where the system does not tell


def _may_limit() -> bool:
    command = ["unshare", "-Ur", "sh", "-c", "echo 6 > /proc/sys/user/max_inotify_watches"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("early", [2, 10], ids=["while running", "at the start"])
def test_beyond_the_systems_limit_the_folder_is_polled_with_a_warning(root: Path, early: int) -> None:
    if not _may_limit():
        pytest.skip("this system lets us set no limit of our own (unshare)")
    script = (
        f"echo 6 > /proc/sys/user/max_inotify_watches; exec {sys.executable} -m tests.objects.limited {root} {early}"
    )
    done = subprocess.run(["unshare", "-Ur", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "announced\n"), done.stderr
    assert "fs.inotify.max_user_watches" in done.stderr
