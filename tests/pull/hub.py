"""A hub on this machine: repositories in folders, served as Hugging Face serves them, with Range and trouble."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _open() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Shelf:
    """What is served: repository → folder. breaks: how many answers end in the middle, after half of the file.

    gate: while it is not set, what is left of a file stops in the middle and waits for it. ranges: else whole files
    are sent whatever is asked for.
    """

    repos: dict[str, Path] = field(default_factory=dict)
    licence: str = "apache-2.0"
    breaks: int = 0
    ranges: bool = True
    gate: threading.Event = field(default_factory=_open)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Range
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shelf: Shelf

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.shelf.asked.append((self.command, path, self.headers.get("Range") or ""))
        if path.startswith("/api/models/"):
            return self._model(path.removeprefix("/api/models/"))
        repo, _, rest = path.strip("/").partition("/resolve/")
        commit, _, name = rest.partition("/")
        file = self.shelf.repos.get(repo, Path("/nowhere")) / name
        if commit != COMMIT or not file.is_file():
            return self._error("EntryNotFound")
        content = file.read_bytes()
        asked = self.headers.get("Range") if self.shelf.ranges else None
        start = int((asked or "bytes=0-").removeprefix("bytes=").split("-")[0])
        part = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not body:
            return None
        if self.shelf.breaks and len(part) > 1000:
            self.shelf.breaks -= 1
            self.wfile.write(part[: len(part) // 2])
            self.close_connection = True
            return None
        half = len(part) // 2 if len(part) > 1000 else 0
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked may have been killed
            self.wfile.write(part[:half])
            self.shelf.gate.wait(60)
            self.wfile.write(part[half:])
        return None

    def _model(self, path: str) -> None:
        repo, _, commit = path.partition("/revision/")
        folder = self.shelf.repos.get(repo)
        if folder is None or commit not in ("", COMMIT):
            return self._error("RepoNotFound" if folder is None else "RevisionNotFound")
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        siblings = []
        for file in files:
            entry: dict[str, object] = {"rfilename": file.relative_to(folder).as_posix(), "size": file.stat().st_size}
            if file.suffix == ".onnx":
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": file.stat().st_size, "pointerSize": 130}
            siblings.append(entry)
        told = {
            "id": repo,
            "sha": COMMIT,
            "siblings": siblings,
            "cardData": {"license": self.shelf.licence},
            "tags": [],
        }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def _error(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving(shelf: Shelf) -> Iterator[Shelf]:
    """Serve until the block ends."""
    handler = type("Handler", (_Handler,), {"shelf": shelf})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
