"""The query encoder on another process: a text over HTTP, its vector back."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from http import HTTPStatus

import numpy as np

from schemas.errors import QueryError, TransientError
from schemas.search.similar import QueryVector

PATH = "/encode"
LONGEST = 500  # characters
_PATIENCE = 1.0  # seconds: a page waits for it
_PAUSE = 5.0  # seconds in which an encoder that failed is not asked again
_FRESH = 60.0  # seconds: then another model may be in force
_REMEMBERED = 1_000
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # people's words go through no proxy


class RemoteEncoder:
    """`schemas.search.similar.QueryEncoder`. Vectors of the latest queries are remembered for a minute.

    One that does not answer in time is left alone for a few seconds: pages do not queue up behind it.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + PATH
        self._known: OrderedDict[str, tuple[float, QueryVector]] = OrderedDict()
        self._lock = threading.Lock()
        self._again_at = 0.0

    def encode(self, text: str) -> QueryVector:
        """See the port."""
        wanted = " ".join(text.split())
        if not wanted or len(wanted) > LONGEST:
            raise QueryError(f"a picture is described in 1 to {LONGEST} characters, got {len(wanted)}")
        now = time.monotonic()
        with self._lock:
            if wanted in self._known and now - self._known[wanted][0] < _FRESH:
                self._known.move_to_end(wanted)
                return self._known[wanted][1]
            if now < self._again_at:
                raise TransientError(
                    f"the encoder at {self._url} did not answer a moment ago; try again in a few seconds"
                )
        found = self._ask(wanted)
        with self._lock:
            self._known[wanted] = (now, found)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _ask(self, text: str) -> QueryVector:
        body = json.dumps({"text": text}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with _DIRECT.open(request, timeout=_PATIENCE) as answer:
                told = json.load(answer)
            floor = float(told.get("floor", -1))  # a worker of the version before says none
            return QueryVector(told["model"], told["revision"], np.asarray(told["vector"], np.float32), floor)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise self._away(error) from error
            raise QueryError(error.read(1_000).decode(errors="replace")) from error
        except (http.client.HTTPException, OSError, ValueError, KeyError, TypeError) as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> TransientError:
        with self._lock:
            self._again_at = time.monotonic() + _PAUSE
        return TransientError(
            f"the encoder at {self._url} does not answer: {error}; is a worker with the role `encode` running?"
        )
