"""A memory over HTTP: `app_for` serves one, and `Memory("https://...")` is its client.

Each call is a POST whose body is a message of `protocol`, and so is its answer.
"""

from __future__ import annotations

import asyncio
import hmac
import http.client
import ssl
import weakref
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from iaiflow_memory.desk import Door, answer
from iaiflow_memory.errors import BadInput, MemoryFault, Unavailable
from iaiflow_memory.protocol import LARGEST, Call, Refusal, encode, result_of
from iaiflow_memory.spare import Spare
from iaiflow_memory.verbs import VERBS

#: Where an app takes calls, below its address.
PATH: Final = "/v1/call"
#: What a body is.
TYPE: Final = "application/vnd.msgpack"
#: How long an answer may take, in seconds.
PATIENCE: Final = 60.0
#: How often a call is tried: a connection that was kept may have been closed meanwhile.
_TRIES: Final = 3
#: Hosts that may be reached without encryption: nobody is between.
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def app_for(door: Door, token: str, *, largest: int = LARGEST) -> App:
    """Return an ASGI app that serves an open memory to whoever knows the token.

    Export and load are not served: they work on files of this machine.

    Args:
        door: Does what is asked; `Memory.door` is one.
        token: What each request has to bear.
        largest: How many bytes a body may have.

    Raises:
        BadInput: The token is too short to be a secret.
    """
    if len(token) < 16:
        raise BadInput("The token is no secret", remedy="Give 16 characters or more")
    expected = f"Bearer {token}".encode()

    async def app(scope: _Message, receive: _Receive, reply: _Send) -> None:
        if scope["type"] != "http":
            await _pass_lifespan(scope, receive, reply)
            return
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(b"authorization", b""), expected):
            await _answer(reply, 401, _refusal("The token is wrong"))
        elif (scope["method"], scope["path"]) != ("POST", PATH):
            await _answer(reply, 404, _refusal("There is nothing here", remedy=f"POST to {PATH}"))
        elif (body := await _body(headers, receive, largest)) is None:
            await _answer(reply, 413, _refusal(f"A body may have {largest:,} bytes"))
        else:
            await _answer(reply, 200, await asyncio.to_thread(_done, door, body))

    return app


def _done(door: Door, body: bytes) -> bytes:
    return answer(door, body, from_afar=True)


def _refusal(what: str, remedy: str = "") -> bytes:
    return encode(Refusal(Unavailable.code, what, remedy=remedy))


async def _body(headers: dict[bytes, bytes], receive: _Receive, largest: int) -> bytes | None:
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > largest:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > largest:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _answer(reply: _Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await reply({"type": "http.response.start", "status": status, "headers": headers})
    await reply({"type": "http.response.body", "body": body})


async def _pass_lifespan(scope: _Message, receive: _Receive, reply: _Send) -> None:
    if scope["type"] == "websocket":
        await reply({"type": "websocket.close", "code": 1008})
        return
    while (await receive())["type"] != "lifespan.shutdown":
        await reply({"type": "lifespan.startup.complete"})
    await reply({"type": "lifespan.shutdown.complete"})


def _parts(address: str) -> SplitResult:
    """Return the parts of an address; a fault does not repeat one that may hold a secret."""
    try:
        parts = urlsplit(address)
        is_usable = parts.hostname and parts.port != 0
    except ValueError:
        is_usable, parts = False, SplitResult("", "", "", "", "")
    if not is_usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise BadInput(
            "This is no address of a memory",
            where=parts.hostname or "",
            remedy="Give https://HOST[:PORT][/PATH], and the token apart",
        )
    return parts


class Remote:
    """Asks a memory at an address. Threads may share it.

    Args:
        address: `https://HOST[:PORT][/PATH]`; `http://` is taken for this machine only.
        token: What the server wants to hear.

    Raises:
        BadInput: The address cannot be used.
    """

    def __init__(self, address: str, token: str) -> None:
        parts = _parts(address)
        if parts.scheme != "https" and parts.hostname not in _HERE:
            raise BadInput(
                "The token would go over the network for all to read",
                where=address,
                remedy="Use an https address",
            )
        if not (token.isascii() and token.isprintable()):
            raise BadInput("The token holds what none has", remedy="Give it without line breaks")
        self._parts = parts
        self._where = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._headers = {"authorization": f"Bearer {token}", "content-type": TYPE}
        self._lines = Spare[http.client.HTTPConnection]()
        weakref.finalize(self, self._lines.close)

    def call(self, verb: str, arguments: Any) -> Any:
        """Return what comes of a verb.

        Raises:
            MemoryFault: It is refused, or the server cannot be reached.
        """
        asked = encode(Call(verb, msgspec.Raw(encode(arguments))))
        for left in reversed(range(_TRIES)):
            line = self._lines.take() or self._connect()
            try:
                status, said = self._post(line, asked)
            except (OSError, http.client.HTTPException) as error:
                line.close()
                self._lines.close()
                if not left or isinstance(error, ssl.SSLError | TimeoutError):
                    raise self._unreached(error) from error
                continue
            except BaseException:
                line.close()
                raise
            self._lines.put(line)
            return self._read(status, said, verb)
        raise AssertionError

    def close(self) -> None:
        """Close the connections."""
        self._lines.close()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=PATIENCE)
        return http.client.HTTPConnection(host, port, timeout=PATIENCE)

    def _post(self, line: http.client.HTTPConnection, asked: bytes) -> tuple[int, bytes]:
        line.request("POST", f"{self._parts.path.rstrip('/')}{PATH}", asked, self._headers)
        response = line.getresponse()
        said = response.read(LARGEST + 1)
        if len(said) > LARGEST:
            raise BadInput("The answer is too large", remedy="Ask for less at once")
        return response.status, said

    def _read(self, status: int, said: bytes, verb: str) -> Any:
        try:
            return result_of(said, VERBS[verb].result)
        except MemoryFault as fault:
            if status == 200:
                raise
            where = fault.where or self._where
            if isinstance(fault, BadInput):  # an answer of something else
                raise Unavailable(f"The server answers with status {status}", where=where) from None
            raise type(fault)(fault.what, where=where, remedy=fault.remedy) from None

    def _unreached(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"The memory's server can't be reached: {error or type(error).__name__}",
            where=self._where,
            remedy="Check the address, the network and that the server runs",
        )
