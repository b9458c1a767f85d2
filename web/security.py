"""What every request and every answer must pass: host, origin and size checks, and the security headers."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_BYTES = 64 * 1024


def policy(*connect: str) -> str:
    """What a page may load and reach. connect: other origins that its scripts may send to."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            " ".join(("connect-src 'self'", *connect)),
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


HEADERS = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would make browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class TooMuchError(Exception):
    """The body went over its limit while it was being read."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the request is larger than {limit:,} bytes")
        self.limit = limit


def host_of(value: str) -> str:
    """The Host header without its port, lower case; understands [::1]:8000."""
    try:
        return urlsplit(f"//{value}").hostname or ""
    except ValueError:
        return ""


def is_foreign(headers: Headers) -> bool:
    """True when a browser says that another site sent this request.

    Sec-Fetch-Site decides where it is sent (all current browsers), Origin otherwise. Programs send neither: they
    are stopped by the token that every form carries.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:  # "http://["
        return True


class Headered:
    """Adds the security headers to every answer, and "private, no-cache" to those that say nothing of caching."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.headers = dict(HEADERS)
        if https:
            self.headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class Doorkeeper:
    """Turns away unknown hosts, other sites' forms and bodies over their limit, before anything is parsed.

    limits: path → bytes; every other path takes FORM_BYTES.
    """

    def __init__(self, app: ASGIApp, *, hosts: tuple[str, ...], limits: dict[str, int]) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self.refusal(scope["method"], scope["path"], headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self.app(scope, self.counted(receive, self.limit(scope["path"])), send)

    def limit(self, path: str) -> int:
        """How many bytes a request to this path may have."""
        return self.limits.get(path, FORM_BYTES)

    def refusal(self, method: str, path: str, headers: Headers) -> PlainTextResponse | None:
        """The answer that turns this request away, or None."""
        if self.hosts and host_of(headers.get("host", "")) not in self.hosts:
            return PlainTextResponse("Unknown host: add it to the allowed hosts in the settings.\n", 421)
        if method not in ("GET", "HEAD", "OPTIONS") and is_foreign(headers):
            return PlainTextResponse("Another site sent this request: use the form on our own page.\n", 403)
        announced = headers.get("content-length", "0")
        limit = self.limit(path)
        if not announced.isdecimal() or int(announced) > limit:
            return PlainTextResponse(f"Too large: at most {limit:,} bytes are taken at once.\n", 413)
        return None

    @staticmethod
    def counted(receive: Receive, limit: int) -> Receive:
        """A `receive` that raises TooMuchError beyond the limit, for bodies that do not announce their length."""
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise TooMuchError(limit)
            return message

        return receive_counted
