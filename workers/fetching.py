"""Getting objects: several requests at a time, as each is mostly waiting, and no more bytes than may be in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

from schemas.errors import NafudaError
from schemas.images import ObjectHead

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


def portions(items: Sequence[tuple[Item, ObjectHead]], most: int) -> Iterator[list[tuple[Item, ObjectHead]]]:
    """Objects in groups of at most `most` bytes each; a larger one is alone."""
    portion: list[tuple[Item, ObjectHead]] = []
    size = 0
    for item, head in items:
        if portion and size + head.size > most:
            yield portion
            portion, size = [], 0
        portion.append((item, head))
        size += head.size
    if portion:
        yield portion
