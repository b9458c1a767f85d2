"""A small S3 server whose one bucket holds as many keys as it is told: it only lists them, made on the fly."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = 1000
ETAG = "0" * 32
_ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;"
    + ETAG
    + "&quot;</ETag>"
    "<Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
_PAGE = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>images</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys>{more}{entries}</ListBucketResult>"
)
_SLOW = "<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


def key_of(number: int) -> str:
    """The bucket's n-th key, from 0; keys in this order."""
    return f"2026/{number // 10_000:05}/image-{number:09}.png"


@dataclass
class Endless:
    """What the server holds, and how often each page was asked for. refusals: page → answers of 503 before it."""

    keys: int
    refusals: dict[int, int] = field(default_factory=dict)
    asked: Counter[int] = field(default_factory=Counter)
    url: str = ""

    def answer(self, query: dict[str, list[str]]) -> tuple[int, str]:
        """A page of ListObjectsV2; the continuation token is the page's number."""
        page = int(query.get("continuation-token", ["0"])[0])
        self.asked[page] += 1
        if self.asked[page] <= self.refusals.get(page, 0):
            return 503, _SLOW
        first, last = page * PAGE, min(self.keys, (page + 1) * PAGE)
        entries = "".join(_ENTRY.format(key=key_of(number)) for number in range(first, last))
        more = f"<KeyCount>{last - first}</KeyCount><IsTruncated>false</IsTruncated>"
        if last < self.keys:
            more = more.replace("false", "true") + f"<NextContinuationToken>{page + 1}</NextContinuationToken>"
        return 200, _PAGE.format(more=more, entries=entries)


@contextmanager
def served(keys: int, refusals: dict[int, int] | None = None) -> Iterator[Endless]:
    """The server, on a port of its own, for as long as the block lasts."""
    bucket = Endless(keys, refusals or {})

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            status, text = bucket.answer(parse_qs(urlsplit(self.path).query))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    bucket.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
