"""What one canvas has got, and what it gets next: numbered messages without gaps.

What runs made is shown without secrets; the flow itself, which people edit, as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from iaiflow_lab.canvas.fields import size_of
from iaiflow_lab.canvas.fold import Fold
from iaiflow_lab.canvas.line import Sent
from iaiflow_lab.canvas.presence import Presence
from iaiflow_lab.safe.redact import RESOLVED

#: The version of what kernel and canvas say to each other.
VERSION: Final = 1
#: A message is full at about so many characters; the rest goes with the next one.
_FULL: Final = 256 * 1024
#: A snapshot of big nodes is full at so many: enough for the faces of some thousand nodes.
_FACES: Final = 1024 * 1024


class Transport(Protocol):
    """How messages reach one canvas: a comm, or a widget's custom messages."""

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message; any thread may call it. Raises when the line is dead."""
        ...


class Channel:
    """The numbered messages to one canvas.

    Args:
        transport: The line to it.
        lock: Guards `fold`.
        fold: The state that it shall have.
        lost: Called when the line is dead.
        presence: Whether the canvas answers.
    """

    def __init__(
        self,
        transport: Transport,
        lock: threading.RLock,
        fold: Fold,
        lost: Callable[[], None],
        presence: Presence | None = None,
    ) -> None:
        self._transport = transport
        self._lock = lock
        self._fold = fold
        self._lost = lost
        self.presence = presence or Presence()
        self._sending = threading.Lock()
        #: The number of the last message.
        self.seq = 0
        self._is_reset = False
        self._since = 0
        self._sent: dict[str, Sent] = {}
        self._behind: dict[str, None] = {}
        self._pushed: dict[str, Any] = {}

    @property
    def is_behind(self) -> bool:
        """Whether there is something to send to a canvas that takes it."""
        has_news = bool(self._behind or self._pushed or self._is_reset)
        return has_news and self.presence.has_turn

    def touch(self, path: str) -> None:
        """Note that a line changed; the caller holds the lock."""
        self._behind[path] = None

    def reset(self) -> None:
        """Note that a new run begins; the caller holds the lock."""
        self._is_reset = True
        self._since = self._fold.tick
        self._sent = dict.fromkeys(self._behind, Sent(-1))

    def push(self, field: str, value: Any) -> None:
        """Send a value that nobody asked for; a later one replaces it while it waits."""
        with self._lock:
            self._pushed[field] = value

    def answer(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send a reply, at once."""
        self._send({"v": VERSION, **message}, buffers)

    def snapshot(self) -> None:
        """Send the whole state, at once; the next number follows on it.

        When that is more than one message holds, the snapshot has the faces of the nodes, and what
        they wrote and showed follows in numbered messages.
        """
        with self._sending:
            with self._lock:
                self._since = self._fold.tick
                self._behind, self._is_reset = {}, False
                message = {"run": dict(self._fold.run.values), "nodes": self._whole()}
            self._send({"v": VERSION, "seq": self.seq, "snapshot": RESOLVED.data(message)})

    def _whole(self) -> dict[str, dict[str, Any]]:
        """Return the nodes of a snapshot, and note what of them follows."""
        lines = self._fold.lines
        self._sent = {path: line.sent(self._since) for path, line in lines.items()}
        room = _FULL
        nodes: dict[str, dict[str, Any]] = {}
        for path, line in lines.items():
            nodes[path] = line.snapshot()
            room -= size_of((path, nodes[path]))
            if room <= 0:
                return self._faces()
        return nodes

    def _faces(self) -> dict[str, dict[str, Any]]:
        room = _FACES
        nodes: dict[str, dict[str, Any]] = {}
        for path, line in self._fold.lines.items():
            face = line.face()
            room -= size_of((path, face))
            if room > 0:
                nodes[path] = face
            if room <= 0 or line.has_more:
                self._sent[path] = Sent(-1)
                self._behind[path] = None
        return nodes

    def flush(self) -> None:
        """Send one message with what changed."""
        with self._sending:
            with self._lock:
                pushed, self._pushed = self._pushed, {}
                message: Mapping[str, Any] = {"push": pushed} if pushed else self._next()
            if message:
                self._send({"v": VERSION, **message})

    def _next(self) -> dict[str, Any]:
        """Return the next part of what the canvas has not got."""
        events: list[tuple[str, dict[str, Any]]] = []
        room = _FULL
        tick = self._fold.tick
        for path in list(self._behind):
            del self._behind[path]
            delta = self._delta(path, tick)
            if delta:
                events.append((path, delta))
                room -= size_of(delta.values())
            if room <= 0:
                break
        if not events and not self._is_reset:
            return {}
        self.seq += 1
        found: dict[str, Any] = {"seq": self.seq, "events": RESOLVED.data(events)}
        if self._is_reset:
            found["reset"], self._is_reset = True, False
        return found

    def _delta(self, path: str, tick: int) -> dict[str, Any]:
        sent = self._sent.get(path, Sent(self._since))
        if not path:
            self._sent[path] = Sent(tick)
            return self._fold.run.since(sent.tick)
        line = self._fold.line(path)
        delta = line.delta(sent)
        self._sent[path] = line.sent(tick)
        return delta

    def _send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        self.presence.sent()
        try:
            self._transport.send(message, buffers)
        except Exception:
            self._lost()
