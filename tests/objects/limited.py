"""A program: watches a folder in which more folders appear than the system can watch (see test_watch.py)."""

import logging
import sys
from pathlib import Path

from infra.objects.folder import FolderStore
from tests.objects.watching import until, watching


def main(root: Path, buckets: int) -> None:
    """Prints "announced" when a file in the last of many folders was announced all the same."""
    logging.basicConfig(level=logging.WARNING)
    store = FolderStore(root, create=True)
    for number in range(buckets):
        store.make_bucket(f"early{number}")
    with watching(store) as watched:
        for number in range(10):
            store.make_bucket(f"late{number}")
        until(lambda: watched.watcher.polling, watched)
        store.put("late9", "a.png", b"x")
        until(lambda: watched.created("late9/a.png") or watched.removed("late9/a.png"), watched)  # or compared
        print("announced")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
