"""The query encoder on another process: a text over HTTP, its vector back."""

import json
import threading
import urllib.error
import urllib.request
from collections import OrderedDict

import numpy as np

from schemas.errors import QueryError, TransientError
from schemas.search.similar import QueryVector

PATH = "/encode"
LONGEST = 500  # characters
_PATIENCE = 5.0  # seconds
_REMEMBERED = 1_000
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # people's words go through no proxy


class RemoteEncoder:
    """`schemas.search.similar.QueryEncoder`. Vectors of the latest queries are remembered."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + PATH
        self._known: OrderedDict[str, QueryVector] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, text: str) -> QueryVector:
        """See the port."""
        wanted = " ".join(text.split())
        if not wanted or len(wanted) > LONGEST:
            raise QueryError(f"a picture is described in 1 to {LONGEST} characters, got {len(wanted)}")
        with self._lock:
            if wanted in self._known:
                self._known.move_to_end(wanted)
                return self._known[wanted]
        found = self._ask(wanted)
        with self._lock:
            self._known[wanted] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _ask(self, text: str) -> QueryVector:
        body = json.dumps({"text": text}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with _DIRECT.open(request, timeout=_PATIENCE) as answer:
                told = json.load(answer)
            return QueryVector(told["model"], told["revision"], np.asarray(told["vector"], np.float32))
        except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
            raise TransientError(
                f"the encoder at {self._url} does not answer: {error}; is a worker with the role `encode` running?"
            ) from error
