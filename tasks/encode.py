"""The role `encode`: holds the text half of the encoder in force, and answers the pages on an address of its own."""

import json
import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.encoder import LONGEST, PATH
from schemas.errors import NafudaError, QueryError
from tasks.models import catalogue
from tasks.services import Services
from workers.embedding.texts import TextEncoder
from workers.runners import Opening, load_text_encoder

log = logging.getLogger(__name__)
_MOST_BYTES = 16 * 1024


class EncoderServer(ThreadingHTTPServer):
    """Answers one request a thread; the model itself is asked by one at a time."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], encoder: TextEncoder, model: str, revision: str, floor: float = 0.0
    ) -> None:
        self._encoder, self._model, self._revision, self._floor = encoder, model, revision, floor
        self._turn = threading.Lock()
        super().__init__(address, _Answers)

    def told(self, text: str) -> bytes:
        """A text's vector as JSON, with the model and revision whose pictures it is compared to, and their floor."""
        with self._turn:
            if self._encoder.knows_nothing_of(text):
                raise QueryError(f"{self._model} knows none of these words")
            vector = self._encoder([text])[0]
        told = {"model": self._model, "revision": self._revision, "vector": vector.tolist(), "floor": self._floor}
        return json.dumps(told).encode()


class _Answers(BaseHTTPRequestHandler):
    server: EncoderServer
    timeout = 10  # seconds for a slow client

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if self.path != PATH or not 0 < size <= _MOST_BYTES:
            return self.send_error(HTTPStatus.NOT_FOUND if self.path != PATH else HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            text = json.loads(self.rfile.read(size))["text"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
            return self.send_error(HTTPStatus.BAD_REQUEST, explain=f'send {{"text": ...}} of 1 to {LONGEST} characters')
        try:
            body = self.server.told(text)
        except NafudaError as error:
            return self._say(HTTPStatus.UNPROCESSABLE_ENTITY, "text/plain; charset=utf-8", str(error)[:200].encode())
        return self._say(HTTPStatus.OK, "application/json", body)

    def _say(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Queries are people's words: they stay out of the log."""


def open_server(services: Services) -> EncoderServer | None:
    """The server of the first embedder in force that has a text graph, real ones before samples; None without one."""
    known = catalogue(services)
    settings = services.settings
    for manifest in sorted(map(known.manifest, settings.models), key=lambda each: each.sample):
        name = manifest.id
        if manifest.runner == "embedder" and manifest.output.params["text"]:
            installed = known.install(name)
            opening = Opening(
                manifest, installed.paths, settings.providers, settings.threads, settings.data / "engines"
            )
            address = (settings.encoder_host, settings.encoder_port)
            text = load_text_encoder(opening)
            return EncoderServer(address, text, name, installed.revision, manifest.thresholds.text)
    return None


def encode(services: Services, stop: threading.Event) -> None:
    """Serve until told to stop."""
    server = open_server(services)
    if server is None:
        log.warning("no model in force encodes texts: search by meaning falls back to captions")
        stop.wait()
        return
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="encoder")
    thread.start()
    stop.wait()
    server.shutdown()
    thread.join()
    server.server_close()
