"""The connection to OpenSearch, and what its errors mean to us: to try again, to give up, or that an index is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import unquote, urlsplit, urlunsplit

from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as Unreachable
from opensearchpy.exceptions import OpenSearchException, TransportError

from schemas.errors import PermanentError, TransientError

Client = OpenSearch
_ATTEMPTS = 3
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_BUSY = frozenset({408, 429, 502, 503, 504})
_DENIED = frozenset({401, 403})
AWAY, GONE = "search-away", "search-gone"


def connect(url: str, *, timeout: timedelta, connections: int) -> Client:
    """A client of `http(s)://[USER:PASSWORD@]HOST[:PORT][/PREFIX]`; nothing is asked yet. Kept until `close`.

    connections: that may be open at once. A request that finds nobody is sent three times, without a pause: who waits
    longer is the caller, who knows what can wait. Documents are compressed on their way to another machine; on this one
    it would cost as much as all else that is done to send them.
    """
    parts = urlsplit(url)
    place = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return OpenSearch(
        place,
        http_auth=login,
        timeout=timeout.total_seconds(),
        pool_maxsize=connections,
        max_retries=_ATTEMPTS - 1,
        retry_on_status=(502, 503, 504),
        http_compress=parts.hostname not in _HERE,
    )


@contextmanager
def errors(doing: str) -> Iterator[None]:
    """Turns the client's errors into ours; `doing` names the request."""
    try:
        yield
    except Unreachable as error:
        remedy = "check NAFUDA_SEARCH_URL and the server"
        raise TransientError(f"{doing}: OpenSearch does not answer: {error.error}; {remedy}", code=AWAY) from error
    except TransportError as error:
        raise _meaning(doing, error) from error
    except OpenSearchException as error:
        raise TransientError(f"{doing}: {error}", code=AWAY) from error


def gone(doing: str) -> TransientError:
    """The index was never made, or was lost."""
    remedy = "the sweeper (`nafuda worker sweep`) makes it and has it filled from the records"
    return TransientError(f"{doing}: OpenSearch has no such index; {remedy}", code=GONE)


def _meaning(doing: str, error: TransportError) -> TransientError | PermanentError:
    status = error.status_code
    if status == 404:
        return gone(doing)
    if status in _DENIED:
        remedy = "check the name and password in NAFUDA_SEARCH_URL"
        return TransientError(f"{doing}: OpenSearch refuses us ({status}); {remedy}", code="search-denied")
    if status in _BUSY or (isinstance(status, int) and status >= 500):
        return TransientError(f"{doing}: OpenSearch is busy ({status}): {error.error}", code=AWAY)
    return PermanentError(f"{doing}: OpenSearch does not take it ({status}): {error.error}", code="search-refused")
