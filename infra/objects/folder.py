"""A folder on a disk as an object store: its first-level folders are buckets, the paths below them are keys."""

import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO

from infra.objects.keys import content_type, parts, visible
from infra.objects.paths import Root, errors, files
from infra.objects.reading import changed, check_size
from schemas.errors import ConfigurationError, DeniedError, NafudaError, NotFoundError, PermanentError
from schemas.images import Look, ObjectHead

UNFINISHED = ".nafuda"  # in each bucket: objects that are still being written
UNFINISHED_AGE = timedelta(days=1)

# A pipe that somebody named like a picture must not block us, and a link must not lead anywhere.
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def identity(found: os.stat_result) -> str:
    """An etag from size, mtime, ctime and inode: it changes whenever the bytes do, and costs no reading.

    It also changes when only rights or times do; ingest then finds the same SHA-256. Two writes in place within
    one tick of the file system's clock (4 ms; none on Linux 6.13+, where a look ends the tick) look the same; each
    put makes a new file with its own nanosecond, so puts always differ.
    """
    seen = f"{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}-{found.st_ino}"
    return hashlib.blake2s(seen.encode(), digest_size=16).hexdigest()


def head_of(bucket: str, key: str, found: os.stat_result) -> ObjectHead:
    """What a file's status says of the object it holds."""
    try:
        modified = _EPOCH + timedelta(microseconds=found.st_mtime_ns // 1000)
    except OverflowError:  # a file system that was told nonsense
        modified = _EPOCH
    return ObjectHead(bucket, key, "", identity(found), found.st_size, modified, content_type(key))


class FolderStore:
    """`schemas.ports.ObjectStore` on a folder.

    Symbolic links below the root are no objects, no folders and no buckets: nothing outside can be reached by a
    key (mount a disk there instead). Hidden names are not objects. There are no versions and no metadata; the
    content type comes from the key's extension. The files belong to the user, who may change them at any time:
    a reader notices (see `read`), a writer replaces whole files only.

    A file or folder that may not be read is transient, as a denied request of S3 is: no image is to blame for it.
    """

    def __init__(self, root: Path, *, create: bool = False) -> None:
        """Uses the folder at `root`; `create`: make it when missing. ConfigurationError when there is none.

        What writers that died left behind more than a day ago is removed.
        """
        self.root = Root.at(root, create=create)
        self.place = str(root)
        for bucket in self._buckets(ConfigurationError):
            self._tidy(bucket)

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket; one that exists is left as it is."""
        with (
            errors(f"bucket {name!r}", denied=ConfigurationError),
            self.root.folder(_bucket(name), make_from=0),
        ):
            pass

    def buckets(self) -> list[str]:
        """Names of the folders in the root, sorted, without hidden ones, links, and what we may not read."""
        return self._buckets(DeniedError)

    def _buckets(self, denied: type[NafudaError]) -> list[str]:
        place = str(self.root.path)
        with errors(place, denied=denied), self.root.folder([]) as root, os.scandir(root) as entries:
            names = [e.name for e in entries if visible(e.name) and e.is_dir(follow_symlinks=False)]
            return sorted(name for name in names if os.access(name, os.R_OK | os.X_OK, dir_fd=root))

    def head(self, bucket: str, key: str, version: str = "") -> ObjectHead | None:
        """What is stored under a key. None also for versions other than "": a folder has none."""
        *folders, name = parts(bucket, key)
        try:
            with errors(f"{bucket}/{key}", looking=True), self.root.folder(folders) as parent:
                found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except NotFoundError:
            return None
        return head_of(bucket, key, found) if stat.S_ISREG(found.st_mode) and not version else None

    def look(self, bucket: str, key: str, fits: Callable[[int], bool]) -> Look | None:
        """What is stored under a key, with its bytes where they fit."""
        head = self.head(bucket, key)
        if head is None:
            return None
        return Look(head, self.read(head, head.size) if fits(head.size) else None)

    def read(self, head: ObjectHead, limit: int) -> bytes:
        """The bytes of exactly the object that `head` describes, at most `limit`."""
        check_size(head, limit)
        place = f"{head.bucket}/{head.key}"
        try:
            with self.open(head.bucket, head.key) as stream, errors(place):
                before = identity(os.fstat(stream.fileno()))
                content = stream.read(head.size + 1) if before == head.etag else b""
                same = before == identity(os.fstat(stream.fileno())) == head.etag
        except NotFoundError as error:
            raise changed(place) from error
        if not same or len(content) != head.size:
            raise changed(place)
        return content

    @contextmanager
    def open(self, bucket: str, key: str, version: str = "") -> Iterator[IO[bytes]]:
        """A readable stream of the current file; a put meanwhile does not disturb it, a write in place does."""
        *folders, name = parts(bucket, key)
        with errors(f"{bucket}/{key}", looking=True), self.root.folder(folders) as parent:
            descriptor = _open_file(name, parent)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotFoundError(f"{bucket}/{key}: this is not a file")
            yield stream

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = "") -> ObjectHead:
        """Write beside, flush to the disk, then rename: a reader sees the old object or the new one.

        `content_type` is not kept: the extension says it. NotFoundError when there is no such bucket.
        """
        *folders, name = parts(bucket, key)
        source = BytesIO(data) if isinstance(data, bytes) else data
        place = f"{bucket}/{key}"
        with (
            errors(place, denied=ConfigurationError),
            self.root.folder([bucket, UNFINISHED], make_from=1) as drafts,
        ):
            draft = secrets.token_hex(16)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=drafts)
            try:
                with os.fdopen(descriptor, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                    target.flush()
                    os.utime(descriptor, ns=(now := time.time_ns(), now))
                    os.fsync(descriptor)
                    self._publish(drafts, draft, folders, name)
                    return head_of(bucket, key, os.fstat(descriptor))
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(draft, dir_fd=drafts)

    def delete(self, bucket: str, key: str) -> None:
        """Remove a file, and the folders above it that this left empty, so that their names are free again."""
        *folders, name = parts(bucket, key)
        place = f"{bucket}/{key}"
        with suppress(NotFoundError), errors(place, looking=True, denied=ConfigurationError):
            with self.root.folder(folders) as parent:
                if not stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                    return
                os.unlink(name, dir_fd=parent)
                os.fsync(parent)
            self._prune(folders)

    def versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """The files: a folder keeps no versions."""
        return self.list(bucket, prefix)

    def erase(self, head: ObjectHead) -> bool:
        """Remove a file, unless it was replaced since; whether it went."""
        found = self.head(head.bucket, head.key)
        if found is None or found.etag != head.etag:
            return False
        self.delete(head.bucket, head.key)
        return True

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        """Every visible file, ordered by key. NotFoundError when there is no such bucket."""
        with errors(f"bucket {bucket!r}"), self.root.folder(_bucket(bucket)):
            above = _folders_of(prefix)
        if above is None:
            return
        base = "".join(f"{name}/" for name in above)
        place = f"{bucket}/{prefix}"
        with ExitStack() as stack:
            try:
                with errors(place, looking=True):
                    start = stack.enter_context(self.root.folder([bucket, *above]))
            except NotFoundError:
                return
            with errors(place):
                for key, found in files(start, base, prefix):
                    yield head_of(bucket, key, found)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _publish(self, drafts: int, draft: str, folders: Sequence[str], name: str) -> None:
        for last in (False, False, True):
            try:
                with self.root.folder(folders, make_from=1) as parent:
                    os.replace(draft, name, src_dir_fd=drafts, dst_dir_fd=parent)
                    os.fsync(parent)
                return
            except FileNotFoundError:  # a delete removed the empty folder in between
                if last:
                    raise

    def _prune(self, folders: Sequence[str]) -> None:
        for depth in range(len(folders) - 1, 0, -1):
            with self.root.folder(folders[:depth]) as parent:
                try:
                    os.rmdir(folders[depth], dir_fd=parent)
                except OSError:
                    return  # something else is in it

    def _tidy(self, bucket: str) -> None:
        oldest = time.time() - UNFINISHED_AGE.total_seconds()
        with (
            suppress(NotFoundError),
            errors(bucket, denied=ConfigurationError),
            self.root.folder([bucket, UNFINISHED]) as drafts,
        ):
            with os.scandir(drafts) as entries:
                names = [e.name for e in entries if e.is_file(follow_symlinks=False)]
            for name in names:
                with suppress(FileNotFoundError):
                    if os.stat(name, dir_fd=drafts, follow_symlinks=False).st_mtime < oldest:
                        os.unlink(name, dir_fd=drafts)


def _open_file(name: str, parent: int) -> int:
    try:
        return os.open(name, _READ_FLAGS, dir_fd=parent)
    except OSError as error:
        if stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise
        raise FileNotFoundError(error.errno, "this is not a file") from error


def _bucket(name: str) -> list[str]:
    return parts(name, "any")[:1]


def _folders_of(prefix: str) -> list[str] | None:
    """The folders that a prefix names whole, or None for a prefix that no file's key can have."""
    above = prefix.rpartition("/")[0]
    try:
        return parts("any", above)[1:] if "/" in prefix else []
    except PermanentError:
        return None
