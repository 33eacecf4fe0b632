"""What every request passes before anything of it is read: host, secret, origin, type and size."""

from __future__ import annotations

from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iaiflow_lab.api.problems import problem

#: Largest body of a request, in bytes.
MAX_BODY: Final = 5_000_000
#: The only path that needs no secret.
OPEN: Final = "/healthz"
_TOO_LARGE: Final = f"A request may have {MAX_BODY:,} bytes at most."
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_WRITES: Final = frozenset({"POST", "PUT", "PATCH"})


class Gate:
    """Refuses what must not reach a route.

    Args:
        app: The application behind it.
        secret: What callers send as `Authorization: Bearer SECRET`; None: whoever can open the
            socket may ask.
    """

    def __init__(self, app: ASGIApp, secret: str | None) -> None:
        self._app = app
        self._expected = None if secret is None else f"Bearer {secret}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _measured(receive), send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        is_network = scope.get("server") is not None and scope["server"][1] is not None
        if is_network and _name(headers.get("host", "")) not in _LOOPBACK:
            return problem(421, "host-refused", "This server answers on this machine only.")
        if scope["path"] == OPEN:
            return None
        given = headers.get("authorization", "").encode()
        if self._expected is not None and not compare_digest(given, self._expected):
            return problem(
                401,
                "secret-missing",
                "The secret of this server is missing or wrong.",
                remedy="Send it as `Authorization: Bearer SECRET`",
            )
        origin = headers.get("origin")
        if is_network and origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return problem(403, "origin-refused", "Pages of other sites may not ask this server.")
        return _unsuitable(scope["method"], headers)


def _unsuitable(method: str, headers: Headers) -> Response | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if method in _WRITES and kind != "application/json":
        return problem(415, "not-json", "A request that changes something is sent as JSON.")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        return problem(413, "too-large", _TOO_LARGE)
    return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _measured(receive: Receive) -> Receive:
    read = 0

    async def receiving() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return receiving
