"""What a network does between us and a server: slows down, breaks off, falls silent. Toxiproxy's API, typed."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

_DIRECTIONS = ("upstream", "downstream")


class Network:
    """Proxies by name. Their ports are free ones, and stay theirs."""

    def __init__(self, url: str) -> None:
        self._api = httpx2.Client(base_url=url, timeout=10)

    def proxy(self, name: str, upstream: int, address: str = "127.0.0.1") -> int:
        """The port of an address of ours behind which a port of loopback is reached."""
        wanted = {"name": name, "listen": f"{address}:0", "upstream": f"127.0.0.1:{upstream}", "enabled": True}
        made = self._api.post("/proxies", json=wanted).raise_for_status().json()
        return int(made["listen"].rpartition(":")[2])

    @contextmanager
    def cut(self, name: str) -> Iterator[None]:
        """Nothing listens: connections end, new ones are refused."""
        self._api.patch(f"/proxies/{name}", json={"enabled": False}).raise_for_status()
        try:
            yield
        finally:
            self._api.patch(f"/proxies/{name}", json={"enabled": True}).raise_for_status()

    @contextmanager
    def toxic(self, name: str, kind: str, **attributes: int) -> Iterator[None]:
        """A toxic of Toxiproxy's in both directions: latency (latency, ms), bandwidth (rate, kB/s), reset_peer
        (timeout, ms), timeout (0: nothing passes, and nobody is told)."""
        for stream in _DIRECTIONS:
            wanted = {"name": stream, "type": kind, "stream": stream, "attributes": attributes}
            self._api.post(f"/proxies/{name}/toxics", json=wanted).raise_for_status()
        try:
            yield
        finally:
            for stream in _DIRECTIONS:
                self._api.delete(f"/proxies/{name}/toxics/{stream}").raise_for_status()

    def close(self) -> None:
        """Let the connection to the API go."""
        self._api.close()
