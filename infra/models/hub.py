"""A hub of Hugging Face's kind: what it offers, and one file of it, gone on with where it broke off.

The hub's client is imported where it is needed: no other command waits for it.
"""

import re
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

import click

from schemas.errors import ConfigurationError, NotFoundError, TransientError

HUB = "https://huggingface.co"
TIMEOUT = 30  # seconds to connect, and for each wait for bytes
COMMIT = re.compile(r"[0-9a-f]{40}")


class Bar(Protocol):
    """Shows how far a download is, in bytes."""

    def update(self, n_steps: int) -> None:
        """So many more."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a hub has under a commit: sizes in bytes, and SHA-256 where the hub states it ("" else)."""

    commit: str
    licence: str
    sizes: Mapping[str, int]
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub or a mirror of one, by its address."""

    url: str = HUB

    def offer(self, repo: str, commit: str) -> Offer:
        """A commit of a repository, or the newest one when none is named. Errors name the address and the remedy."""
        import httpx2
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

        asked = f"{self.url}/{repo}"
        try:
            found = HfApi(self.url).model_info(repo, revision=commit or None, files_metadata=True, timeout=TIMEOUT)
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise NotFoundError(f"{asked} has no commit {commit or 'main'}: {_line(error)}") from error
        except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
            raise TransientError(f"{asked} is away: {_line(error)}; without internet use --from DIR") from error
        if not COMMIT.fullmatch(found.sha or ""):
            raise ConfigurationError(f"{asked} names no commit; check NAFUDA_HUB_URL")
        files = found.siblings or []
        return Offer(
            found.sha or "",
            str(getattr(found.card_data, "license", None) or ""),
            {file.rfilename: int(file.size or 0) for file in files},
            {file.rfilename: str(file.lfs.sha256) for file in files if file.lfs},
        )

    def fetch(self, repo: str, offer: Offer, path: str, into: Path) -> Path:
        """One file below `into`, which holds files of this commit only; what is there of it is gone on with.

        A transfer that breaks is tried again as long as each try brings something. Errors as in `offer`.
        """
        import httpx2
        from huggingface_hub import hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError

        file, size = into / path, offer.sizes[path]
        url = hf_hub_url(repo, path, revision=offer.commit, endpoint=self.url)
        if _size(file) > size:
            file.unlink()
        while (had := _size(file)) != size or not file.is_file():
            try:
                _append(url, file, had, size)
            except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
                if isinstance(error, httpx2.TransportError) and had < _size(file) < size:
                    continue
                raise TransientError(f"{url} broke off: {_line(error)}; the same command goes on from there") from error
            if _size(file) != size:
                raise TransientError(f"{url} has {_size(file)} bytes where {size} were announced; pull it again")
        return file


def _append(url: str, file: Path, had: int, size: int) -> None:
    """Ask for what follows the first `had` bytes; a hub that sends all of it again is believed.

    Plain HTTP through the client's own session (token, proxies), because its downloads begin anew in each process.
    """
    from huggingface_hub import get_session, get_token

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={had}-"} if had else {})
    if token := get_token():
        headers["Authorization"] = f"Bearer {token}"
    file.parent.mkdir(parents=True, exist_ok=True)
    with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT) as response:
        response.raise_for_status()
        start = had if response.status_code == HTTPStatus.PARTIAL_CONTENT else 0
        with file.open("ab" if start else "wb") as stream, _bar(file.name, size) as bar:
            bar.update(start)
            for chunk in response.iter_bytes():
                bar.update(stream.write(chunk))


def _bar(name: str, size: int) -> AbstractContextManager[Bar]:
    """On a terminal only."""
    return click.progressbar(length=size, label=name, file=sys.stderr, hidden=not sys.stderr.isatty())


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
