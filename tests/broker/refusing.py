"""A way to a server of HTTP that can be told to refuse everything."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2


class Way(ThreadingHTTPServer):
    """Hands requests on, unless `status` is set: then each is answered with it, and counted."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.target = target
        self.status = 0
        self.refused = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Request(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Way)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status:
            self.server.refused += 1
            self._answer(self.server.status, b'{"__type": "Refused", "message": "told to"}')
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        answer = httpx2.post(self.server.target + self.path, content=body, headers=headers, timeout=40)
        self._answer(answer.status_code, answer.content)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def way_to(target: str) -> Iterator[Way]:
    """One that is open."""
    with Way(target) as way:
        threading.Thread(target=way.serve_forever, daemon=True).start()
        yield way
        way.shutdown()
