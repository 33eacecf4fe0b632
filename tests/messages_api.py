"""A Messages API on loopback: it plays what a test wrote, and refuses what breaks the protocol.

    with MessagesAPI(say(call("add", a=1, b=2)), say("3")) as api:
        ...  # an SDK with `base_url=api.url` and `api_key=api.key`
    api.seen[0].body["messages"]

What it streams is cut wherever it hurts: JSON in the middle of a token, bytes in the middle of a
character. Chat completions, as others speak them, are answered by `chat_face`.
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Self

import chat_face
import messages_face
from messages_face import Body

#: Longest time for which a stalled answer is held, in seconds; `close` ends it at once.
HELD_S = 120.0


@dataclass(frozen=True)
class Turn:
    """What is answered to one request."""

    content: Sequence[Mapping[str, Any]] = ()
    stop_reason: str = "end_turn"
    stop_details: Mapping[str, Any] | None = None
    #: How much of the last block is said, as a share of its pieces; the rest never was.
    cut: float = 1.0
    #: How the stream breaks: "eof" (a clean end), "abort" (the connection ends in the middle of a
    #: chunk), "stall" (nothing more comes), "pings" (nothing but signs of life), "loris" (a byte
    #: now and then), "head" (the same before the answer begins), "garbage", or the type of an
    #: `error` event; "": it does not.
    breaks: str = ""
    #: After which share of its events it breaks.
    after: float = 0.5
    #: Seconds after each event; 0: all that is said is sent at once, torn anywhere.
    pace: float = 0.0
    #: A status other than 200 refuses the request with `error`.
    status: int = 200
    error: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def thinking(words: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": messages_face.sign(words)}


_calls = itertools.count(1)


def call(tool: str, /, **arguments: Any) -> dict[str, Any]:
    """Return a call of a tool, under an id of its own."""
    made = f"toolu_{next(_calls):06d}"
    return {"type": "tool_use", "id": made, "name": tool, "input": arguments}


def say(*content: str | Mapping[str, Any], **how: Any) -> Turn:
    """Return a turn; it ends with `tool_use` when it calls tools."""
    blocks = [text(block) if isinstance(block, str) else block for block in content]
    calls = any(block["type"] == "tool_use" for block in blocks)
    return Turn(blocks, **{"stop_reason": "tool_use" if calls else "end_turn", **how})


def refuse(status: int, kind: str, message: str = "No.", *, code: str = "", **headers: str) -> Turn:
    """Return a refusal; of `headers`, `_` in a name stands for `-`."""
    error: dict[str, Any] = {"type": kind, "message": message}
    if code:
        error |= {"details": {"error_code": code}, "code": code}
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return Turn(status=status, error=error, headers=spelled)


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    #: By name, in lower case.
    headers: Mapping[str, str]
    body: Any


class MessagesAPI:
    """The server. Turns are played in their order; `answer` may be replaced by a function.

    Args:
        *turns: What is answered to the first requests for a message.
        key: The key that it knows.
        seed: Where streams are cut.
    """

    def __init__(self, *turns: Turn, key: str = "sk-ant-of-a-test", seed: int = 0) -> None:
        self.key = key
        self.turns = list(turns)
        self.seen: list[Seen] = []
        #: When each event of turns with a pace was sent, in seconds since the epoch.
        self.paced: list[tuple[float, bytes]] = []
        self.answer: Callable[[Body], Turn] = self._next
        self.cache = messages_face.Cache()
        self.batches = messages_face.Batches(self)
        self.seed = seed
        self.news = threading.Condition()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.api = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def play(self, *turns: Turn) -> None:
        with self.news:
            self.turns += turns

    def _next(self, _: Body) -> Turn:
        with self.news:
            if self.turns:
                return self.turns.pop(0)
        return refuse(400, "invalid_request_error", "The test has no further turn.")

    def note(self, seen: Seen) -> None:
        with self.news:
            self.seen.append(seen)
            self.news.notify_all()

    def wait_for(self, requests: int, timeout: float = 60.0) -> None:
        """Wait until so many requests have come."""
        with self.news:
            came = self.news.wait_for(lambda: len(self.seen) >= requests, timeout)
        assert came, f"{len(self.seen)} of {requests} requests have come"

    @property
    def bodies(self) -> list[Body]:
        """The bodies of requests for messages, in their order."""
        return [one.body for one in self.seen if one.path.endswith(("/messages", "/completions"))]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Pieces go out as they are written.
    disable_nagle_algorithm = True

    @property
    def api(self) -> MessagesAPI:
        return self.server.api

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self._answer(self.rfile.read(length))

    def _answer(self, raw: bytes | None) -> None:
        path = self.path.partition("?")[0]
        body = json.loads(raw) if raw else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.api.note(Seen(self.command, path, headers, body))
        if not self._has_key(headers):
            self._refuse(refuse(401, "authentication_error", "invalid x-api-key"))
        elif path in {"/v1/messages", "/v1/chat/completions"} or "RawPredict" in path:
            self._converse(path, body)
        else:
            status, answer = self._look_up(path, body)
            self._send(status, answer)

    def _has_key(self, headers: Mapping[str, str]) -> bool:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        return self.api.key in {given, headers.get("x-api-key"), headers.get("api-key")}

    def _look_up(self, path: str, body: Any) -> tuple[int, Any]:
        if path.startswith("/v1/messages/batches"):
            return self.api.batches.answer(self.command, path, body, self.api.url)
        if path == "/v1/messages/count_tokens":
            return 200, {"input_tokens": messages_face.count(body)}
        if path == "/v1/models":
            return 200, messages_face.models()
        return 404, messages_face.error({"type": "not_found_error", "message": f"No {path}."})

    def _converse(self, path: str, body: Body) -> None:
        face: Any = chat_face if path.endswith("/completions") else messages_face
        if face is messages_face and "RawPredict" in path:
            body = {"model": path.rpartition("/")[2].partition(":")[0], **body}
        if fault := face.fault(body):
            self._refuse(refuse(400, "invalid_request_error", fault), face)
            return
        turn = self.api.answer(body)
        if turn.status != 200:
            self._refuse(turn, face)
            return
        with self.api.news:
            usage = self.api.cache.usage(body) if face is messages_face else face.usage(body)
            number = len(self.api.seen)
        if body.get("stream"):
            rng = Random(f"{self.api.seed}/{number}")
            self._stream(turn, list(face.events(turn, body, usage, rng)), rng)
        else:
            self._send(200, face.whole(turn, body, usage))

    def _refuse(self, turn: Turn, face: Any = messages_face) -> None:
        self._send(turn.status, face.error(turn.error), turn.headers)

    def _send(self, status: int, answer: Any, headers: Mapping[str, str] | None = None) -> None:
        lines = isinstance(answer, bytes)
        data = answer if lines else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/x-jsonl" if lines else "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("request-id", "req_of_a_test")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, turn: Turn, events: Sequence[bytes], rng: Random) -> None:
        if turn.breaks == "head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
            self.drip(self.wfile.write)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("request-id", "req_of_a_test")
        self.end_headers()
        until = int(len(events) * turn.after) if turn.breaks else len(events)
        said = events[:until]
        if turn.pace:
            self._say_slowly(said, turn.pace)
        else:
            for piece in _torn(b"".join(said), rng):
                self._chunk(piece)
        if turn.breaks not in _BREAKS and turn.breaks:
            error = {"type": "error", "error": {"type": turn.breaks, "message": "It broke."}}
            self._chunk(messages_face.event("error", error))
        elif turn.breaks:
            _BREAKS[turn.breaks](self)
        if turn.breaks != "abort":
            self.wfile.write(b"0\r\n\r\n")

    def _say_slowly(self, events: Sequence[bytes], pace: float) -> None:
        for said in events:
            self.api.paced.append((time.time(), said))
            self._chunk(said)
            self.api.released.wait(pace)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def abort(self) -> None:
        """End the connection in the middle of a chunk."""
        self.wfile.write(b"ff\r\nevent: content")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        # The reset goes out when the last reference to the socket is closed.
        self.connection.shutdown(socket.SHUT_RD)

    def stall(self) -> None:
        self.api.released.wait(HELD_S)

    def drip(self, write: Callable[[bytes], object]) -> None:
        """Say a byte now and then, for as long as anybody listens."""
        while not self.api.released.wait(0.02):
            write(b":")

    def loris(self) -> None:
        self.drip(self._chunk)

    def pings(self) -> None:
        while not self.api.released.wait(0.02):
            self._chunk(messages_face.event("ping", {"type": "ping"}))

    def garbage(self) -> None:
        self._chunk(b"event: content_block_delta\ndata: {no json\n\n")


_BREAKS: dict[str, Callable[[_Handler], None]] = {
    "eof": lambda _: None,
    "abort": _Handler.abort,
    "stall": _Handler.stall,
    "loris": _Handler.loris,
    "pings": _Handler.pings,
    "garbage": _Handler.garbage,
}


def _torn(data: bytes, rng: Random) -> Iterator[bytes]:
    """Cut bytes anywhere, also in the middle of a character."""
    start = 0
    while start < len(data):
        size = rng.choice([1, 2, 3, 17, 90, 400])
        yield data[start : start + size]
        start += size
