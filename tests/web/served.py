"""A site that listens on a port, for programs that speak real HTTP to it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from schemas.services import WebServices
from web import create_app


@contextmanager
def served(web: WebServices, port: int = 0) -> Iterator[str]:
    """Its address on loopback; port 0 takes a free one."""
    server = uvicorn.Server(uvicorn.Config(create_app(web), port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    assert server.started, f"nothing listens on {port}"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
