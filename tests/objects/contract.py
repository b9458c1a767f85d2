"""What every `ObjectStore` must do. An adapter's test module gives the fixtures `store` and `bucket` (empty, its own)
and one line: `class TestTheStore(ObjectStoreContract): pass`."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import IO, cast

import pytest

from schemas.errors import NotFoundError, RefusedError, TransientError
from schemas.images import Look, ObjectHead
from schemas.ports import ObjectStore

KEYS = [
    "a.png",
    "deep/er/and/deeper.png",
    "a b.png",
    "a+b.png",
    "x%41.png",
    "%2F.png",
    "名札/ü ß.png",
    "e\u0301 decomposed.png",
    "🎏.png",
    "back\\slash.png",
    "quote'\"<&>.png",
    "question?hash#.png",
    "no extension",
    "trailing dot.",
    "/".join(["x" * 249] * 4),  # 999 bytes
]


class Breaking(BytesIO):
    """A stream that ends in an error after its first bytes, as a client that goes away does."""

    def read(self, size: int | None = -1) -> bytes:
        """Some bytes, then a failure."""
        if self.tell():
            raise TransientError("the sender went away")
        return super().read(10)


class ObjectStoreContract:
    """Inherited by the tests of every adapter."""

    def test_what_is_put_is_described_and_read(self, store: ObjectStore, bucket: str) -> None:
        put = store.put(bucket, "a/b.png", b"bytes", "image/png")
        head = store.head(bucket, "a/b.png")
        assert head is not None and head.etag == put.etag and '"' not in head.etag and head.etag
        assert (head.bucket, head.key, head.size) == (bucket, "a/b.png", 5)
        assert head.content_type == "image/png"
        assert head.modified.utcoffset() is not None
        assert store.read(head, 5) == b"bytes"
        assert store.read(put, 100) == b"bytes"

    def test_a_look_takes_the_bytes_along_where_they_fit(self, store: ObjectStore, bucket: str) -> None:  # R61
        store.put(bucket, "a/b.png", b"bytes", "image/png")
        store.put(bucket, "empty", b"")
        asked: list[int] = []
        look = store.look(bucket, "a/b.png", lambda size: not asked.append(size))  # type: ignore[func-returns-value]
        assert look == Look(cast(ObjectHead, store.head(bucket, "a/b.png")), b"bytes") and asked == [5]
        assert store.look(bucket, "a/b.png", lambda size: False) == Look(look.head)
        empty = store.look(bucket, "empty", lambda size: size == 0)
        assert empty is not None and empty.content == b""

    def test_a_look_that_is_broken_off_holds_up_no_other(self, store: ObjectStore, bucket: str) -> None:
        content = b"z" * (9 << 20)
        store.put(bucket, "big.bin", content)
        looks = [store.look(bucket, "big.bin", lambda size: False) for _ in range(40)]  # more than it has connections
        (head,) = {look.head.etag: look.head for look in looks if look is not None and look.content is None}.values()
        assert store.read(head, len(content)) == content

    def test_a_look_finds_nothing_where_a_head_finds_nothing(self, store: ObjectStore, bucket: str) -> None:
        store.put(bucket, "a/b", b"x")
        for key in ("nothing", "a", "a/b/c"):
            assert store.look(bucket, key, lambda size: True) is None
        assert store.look(f"{bucket}-missing", "a", lambda size: True) is None

    @pytest.mark.parametrize("key", KEYS)
    def test_a_key_comes_back_as_it_was_given(self, store: ObjectStore, bucket: str, key: str) -> None:  # R71
        store.put(bucket, key, key.encode())
        head = store.head(bucket, key)
        assert head is not None and head.key == key
        assert store.read(head, 2000) == key.encode()
        assert [found.key for found in store.list(bucket)] == [key]
        assert [found.key for found in store.list(bucket, key)] == [key]

    def test_an_empty_object_is_an_object(self, store: ObjectStore, bucket: str) -> None:
        head = store.put(bucket, "empty", b"")
        assert (head.size, store.read(head, 0)) == (0, b"")

    def test_what_is_not_there_has_no_head(self, store: ObjectStore, bucket: str) -> None:
        assert store.head(bucket, "nothing") is None
        store.put(bucket, "a/b", b"x")
        assert store.head(bucket, "a") is None
        assert store.head(bucket, "a/b/c") is None

    def test_what_is_not_there_cannot_be_opened(self, store: ObjectStore, bucket: str) -> None:
        with pytest.raises(NotFoundError), store.open(bucket, "nothing"):
            pass

    def test_an_unknown_bucket_is_not_found(self, store: ObjectStore, bucket: str) -> None:
        missing = f"{bucket}-missing"
        assert store.head(missing, "a") is None
        with pytest.raises(NotFoundError):
            store.put(missing, "a", b"x")
        with pytest.raises(NotFoundError):
            list(store.list(missing))

    def test_buckets_are_listed_in_order(self, store: ObjectStore, bucket: str) -> None:
        assert bucket in store.buckets()
        names = store.buckets()
        assert names == sorted(names)

    def test_other_bytes_of_the_same_size_have_another_etag(self, store: ObjectStore, bucket: str) -> None:
        etags = [store.put(bucket, "a", b"%03d" % n).etag for n in range(50)]
        assert len(set(etags)) == 50

    def test_an_etag_stays_while_nothing_happens(self, store: ObjectStore, bucket: str) -> None:
        etag = store.put(bucket, "a", b"x").etag
        with store.open(bucket, "a") as stream:
            stream.read()
        head = store.head(bucket, "a")
        assert head is not None and head.etag == etag

    def test_a_read_notices_that_the_object_was_replaced(self, store: ObjectStore, bucket: str) -> None:  # R71
        old = store.put(bucket, "a", b"old")
        new = store.put(bucket, "a", b"new")
        with pytest.raises(TransientError, match="a"):
            store.read(old, 100)
        assert store.read(new, 100) == b"new"

    def test_a_read_notices_that_the_object_went_away(self, store: ObjectStore, bucket: str) -> None:
        head = store.put(bucket, "a", b"old")
        store.delete(bucket, "a")
        with pytest.raises(TransientError, match="a"):
            store.read(head, 100)

    def test_a_read_beyond_the_limit_is_refused(self, store: ObjectStore, bucket: str) -> None:  # R76
        head = store.put(bucket, "a", b"12345")
        with pytest.raises(RefusedError, match="limit of 4") as refused:
            store.read(head, 4)
        assert refused.value.code == "too-large"

    @pytest.mark.parametrize("size", [0, 1, 1 << 16, (9 << 20) + 1])
    def test_a_stream_is_stored_whole(self, store: ObjectStore, bucket: str, size: int) -> None:
        content = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
        head = store.put(bucket, "big.bin", BytesIO(content))
        assert head.size == size
        with store.open(bucket, "big.bin") as stream:
            assert b"".join(iter(lambda: stream.read(100_000), b"")) == content

    def test_a_stream_that_breaks_leaves_what_was_there(self, store: ObjectStore, bucket: str) -> None:
        store.put(bucket, "a", b"old")
        for key in ("a", "b"):
            with pytest.raises(TransientError, match="went away"):
                store.put(bucket, key, cast(IO[bytes], Breaking(b"z" * 100)))
        assert [(head.key, head.size) for head in store.list(bucket)] == [("a", 3)]

    def test_what_is_deleted_is_gone_and_deleting_again_is_no_error(self, store: ObjectStore, bucket: str) -> None:
        store.put(bucket, "a/b", b"x")
        store.delete(bucket, "a/b")
        store.delete(bucket, "a/b")
        store.delete(bucket, "never/there")
        assert store.head(bucket, "a/b") is None
        assert list(store.list(bucket)) == []

    def test_what_is_erased_is_gone_and_erasing_again_is_no_error(self, store: ObjectStore, bucket: str) -> None:  # R76
        for key in ("a/b", "a/c", "b"):
            store.put(bucket, key, key.encode())
        heads = list(store.versions(bucket, "a/"))
        assert [(head.bucket, head.key, head.size) for head in heads] == [(bucket, "a/b", 3), (bucket, "a/c", 3)]
        with store.open(bucket, "a/b", heads[0].version) as stream:
            assert stream.read() == b"a/b"
        assert store.erase(heads[0])
        assert not store.erase(heads[0])
        assert [head.key for head in store.list(bucket)] == ["a/c", "b"]
        assert [head.key for head in store.versions(bucket)] == ["a/c", "b"]

    def test_what_came_in_its_place_is_not_erased(self, store: ObjectStore, bucket: str) -> None:  # R76
        for key in ("a", "a.png"):
            store.put(bucket, key, b"old")
        head, neighbour = store.versions(bucket, "a")
        new = store.put(bucket, "a", b"new")
        assert not store.erase(head)
        assert store.read(new, 10) == b"new"
        assert store.erase(next(iter(store.versions(bucket, "a"))))
        assert list(store.versions(bucket)) == [neighbour]

    def test_a_prefixs_name_is_free_when_nothing_is_below_it(self, store: ObjectStore, bucket: str) -> None:
        store.put(bucket, "a/b/c", b"x")
        store.delete(bucket, "a/b/c")
        assert store.put(bucket, "a", b"y").size == 1

    def test_keys_are_listed_in_the_order_of_their_bytes(self, store: ObjectStore, bucket: str) -> None:
        keys = ["a-b", "a.png", "a/x", "a/y/z", "a0", "B", "b", "é", "z/1", "Ａ", "🎏"]
        for key in reversed(keys):
            store.put(bucket, key, key.encode())
        listed = list(store.list(bucket))
        assert [head.key for head in listed] == sorted(keys, key=str.encode)
        heads = [store.head(bucket, head.key) for head in listed]
        assert [(h.size, h.etag) for h in heads if h] == [(h.size, h.etag) for h in listed]

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("", ["a/b.png", "a/b/c.png", "a/bb.png", "ab.png", "b.png"]),
            ("a", ["a/b.png", "a/b/c.png", "a/bb.png", "ab.png"]),
            ("a/", ["a/b.png", "a/b/c.png", "a/bb.png"]),
            ("a/b", ["a/b.png", "a/b/c.png", "a/bb.png"]),
            ("a/b/", ["a/b/c.png"]),
            ("a/b.png", ["a/b.png"]),
            ("a/c", []),
            ("a//", []),
            ("../", []),
            ("/", []),
            ("b.png/", []),
            ("A", []),
        ],
    )
    def test_a_prefix_is_text_not_a_path(
        self, store: ObjectStore, bucket: str, prefix: str, expected: list[str]
    ) -> None:
        for key in ("a/b.png", "a/b/c.png", "a/bb.png", "ab.png", "b.png"):
            store.put(bucket, key, b"x")
        assert [head.key for head in store.list(bucket, prefix)] == expected

    def test_more_than_a_page_is_listed(self, store: ObjectStore, bucket: str) -> None:
        keys = [f"{n:04}" for n in range(1100)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key: store.put(bucket, key, b"x"), keys))
        assert [head.key for head in store.list(bucket)] == keys

    def test_a_reader_never_sees_half_an_object(self, store: ObjectStore, bucket: str) -> None:
        store.put(bucket, "a", b"0" * 100_000)
        with ThreadPoolExecutor(1) as threads:
            writing = threads.submit(lambda: [store.put(bucket, "a", b"%d" % (n % 10) * 100_000) for n in range(60)])
            seen = _reads(store, bucket)
            writing.result()
        seen += _reads(store, bucket)
        assert seen
        assert all(len(content) == 100_000 and len(set(content)) == 1 for content in seen)

    def test_many_may_write_and_delete_in_one_place(self, store: ObjectStore, bucket: str) -> None:
        def work(number: int) -> None:
            for _ in range(10):
                store.put(bucket, f"shared/{number}", b"x")
                store.delete(bucket, f"shared/{number}")
            store.put(bucket, f"shared/{number}", b"last")

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(8)))
        assert [(head.key, head.size) for head in store.list(bucket)] == [(f"shared/{n}", 4) for n in range(8)]


def _reads(store: ObjectStore, bucket: str) -> list[bytes]:
    seen = []
    for _ in range(200):
        head = store.head(bucket, "a")
        assert head is not None  # it is replaced, never away
        with suppress(TransientError):
            seen.append(store.read(head, 1 << 20))
    return seen
