"""Getting objects: several requests at a time, as each is mostly waiting, and no more bytes than may be in memory."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

from schemas.errors import NafudaError
from schemas.images import Look
from schemas.ports import ObjectStore

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Several:
    """So many requests at once, whoever makes them. For any thread; requests must not make others through it."""

    def __init__(self, places: int) -> None:
        """places: at least 1; with 1, whoever asks waits, without another thread: right for a disk of this machine."""
        self._threads = ThreadPoolExecutor(places, "request") if places > 1 else None

    def begin(self, ask: Callable[[Item], Answer], item: Item) -> Future[Answer]:
        """Ask as soon as there is a place."""
        if self._threads is not None:
            return self._threads.submit(ask, item)
        begun: Future[Answer] = Future()
        try:
            begun.set_result(ask(item))
        except Exception as error:  # noqa: BLE001  told by the future, as with threads
            begun.set_exception(error)
        return begun

    def each(self, ask: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer | NafudaError]:
        """One answer or error for each item, in order. Anything else that is raised is raised here."""
        begun = [self.begin(ask, item) for item in items]
        answers: list[Answer | NafudaError] = []
        for each in begun:
            try:
                answers.append(each.result())
            except NafudaError as error:
                answers.append(error)
        return answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for what was begun; nothing more is taken."""
        if self._threads is not None:
            self._threads.shutdown()


class Looks:
    """Looks at objects whose bytes are wanted: they come along until so many are in memory. For any thread."""

    def __init__(self, store: ObjectStore, most: int, limit: int) -> None:
        """most: bytes of all that come along. limit: of one object; a larger one's never do."""
        self._store = store
        self._left = most
        self._limit = min(limit, most)
        self._full = False
        self._lock = threading.Lock()

    def look(self, bucket: str, key: str) -> Look | None:
        """What is stored under a key. Once something did not fit, bytes are no longer asked for."""
        return self.head(bucket, key) if self._full else self._store.look(bucket, key, self._fits)

    def head(self, bucket: str, key: str) -> Look | None:
        """The same, without bytes."""
        head = self._store.head(bucket, key)
        return None if head is None else Look(head)

    def _fits(self, size: int) -> bool:
        if size > self._limit:
            return False
        with self._lock:
            self._full = self._full or size > self._left
            if not self._full:
                self._left -= size
            return not self._full


def portions(items: Iterable[tuple[Item, Look]], most: int) -> Iterator[list[tuple[Item, Look]]]:
    """First those that have their bytes, then the others in groups of at most `most` bytes; a larger one is alone."""
    portion: list[tuple[Item, Look]] = []
    others: list[tuple[Item, Look]] = []
    for each in items:
        (others if each[1].content is None else portion).append(each)
    del items
    if portion:
        yield portion
    portion, size = [], 0
    for item, look in others:
        if portion and size + look.head.size > most:
            yield portion
            portion, size = [], 0
        portion.append((item, look))
        size += look.head.size
    if portion:
        yield portion
