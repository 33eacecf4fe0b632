"""A canvas that a test drives: requests go in, messages come out."""

from __future__ import annotations

import itertools
import json
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab.canvas.session import Session
from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.interactive.kernel import close_workspaces
from iaiflow_lab.interactive.places import LIVE_CACHE
from iaiflow_lab.sdk.node import CELL_TYPES

#: Longest wait for a message, in seconds: only a hang takes so long.
PATIENCE = 60.0
LOG_LINES, LOG_SIZE, DISPLAYS = 2_000, 256 * 1024, 200
IDLE: dict[str, Any] = {
    "state": "pending",
    "started_at": None,
    "ended_at": None,
    "attempt": 0,
    "share": None,
    "text": "",
    "source": "",
    "rows": None,
    "items": None,
    "stale": False,
    "wait": None,
    "more_waits": [],
    "error": None,
    "log": "",
    "outputs": {},
    "displays": [],
}
NO_RUN: dict[str, Any] = {
    "run_id": "",
    "state": None,
    "reason": "",
    "error": None,
    "started_at": None,
    "ended_at": None,
    "note": "",
}


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty workspace that is the current folder; nothing of other tests is alive."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    LIVE_CACHE.clear()
    cells = dict(CELL_TYPES)
    yield workspace
    CELL_TYPES.clear()
    CELL_TYPES.update(cells)
    close_workspaces()


class Mirror:
    """What a browser knows after some messages, by the rules of the protocol."""

    def __init__(self) -> None:
        self.run = dict(NO_RUN)
        self.nodes: dict[str, dict[str, Any]] = {}
        self.seq: int | None = None

    def take(self, message: Mapping[str, Any]) -> None:
        if "snapshot" in message:
            self.seq = message["seq"]
            self.run = dict(message["snapshot"]["run"])
            self.nodes = {p: {**IDLE, **s} for p, s in message["snapshot"]["nodes"].items()}
        elif "events" in message and self.seq is not None:
            assert message["seq"] == self.seq + 1, "a number is missing"
            self.seq = message["seq"]
            if message.get("reset"):
                self.reset()
            for path, delta in message["events"]:
                self.merge(path, delta)

    def reset(self) -> None:
        self.run = dict(NO_RUN)
        self.nodes = {
            path: {**IDLE, "stale": state["stale"], "outputs": state["outputs"]}
            for path, state in self.nodes.items()
        }

    def merge(self, path: str, delta: Mapping[str, Any]) -> None:
        if not path:
            self.run.update(delta)
            return
        state = self.nodes.setdefault(path, dict(IDLE))
        plain = {k: v for k, v in delta.items() if not k.endswith("_append")}
        state.update(plain)
        lines = (state["log"] + delta.get("log_append", ""))[-LOG_SIZE:].splitlines(keepends=True)
        state["log"] = "".join(lines[-LOG_LINES:])
        state["displays"] = (state["displays"] + delta.get("display_append", []))[-DISPLAYS:]

    def known(self) -> dict[str, dict[str, Any]]:
        return {path: state for path, state in self.nodes.items() if state != IDLE}


class Canvas:
    """One canvas of this process."""

    def __init__(self, subject: Subject | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self.mirror = Mirror()
        self._arrived: queue.Queue[tuple[dict[str, Any], Sequence[bytes]]] = queue.Queue()
        self._ids = itertools.count(1)
        self.buffers: Sequence[bytes] = ()
        self.session = Session(self, subject)

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        packed = json.dumps(message, ensure_ascii=False, allow_nan=False).encode()  # as kernels do
        self._arrived.put((json.loads(packed), buffers))

    def next(self) -> dict[str, Any]:
        message, buffers = self._arrived.get(timeout=PATIENCE)
        self.messages.append(message)
        self.mirror.take(message)
        if "reply" in message:
            self.buffers = buffers
        return message

    def reply(self, request: str, **args: Any) -> dict[str, Any]:
        number = next(self._ids)
        self.session.receive({"v": 1, "id": number, "do": request, "args": args})
        while (message := self.next()).get("reply") != number:
            pass
        return message

    def ask(self, request: str, **args: Any) -> Any:
        reply = self.reply(request, **args)
        assert "error" not in reply, reply["error"]
        return reply["result"]

    def refusal(self, request: str, **args: Any) -> dict[str, str]:
        reply = self.reply(request, **args)
        assert "error" in reply, reply
        assert "Traceback" not in json.dumps(reply)
        return reply["error"]

    def snapshot(self) -> Mirror:
        self.ask("snapshot")
        while "snapshot" not in self.next():
            pass
        return self.mirror

    def until(self, holds: Callable[[Mirror], bool]) -> Mirror:
        """Take messages until what the browser knows is as wanted."""
        while not holds(self.mirror):
            self.next()
        return self.mirror

    def pushed(self, field: str) -> Any:
        """Take messages until one pushes a field; return its value."""
        while field not in (message := self.next()).get("push", {}):
            pass
        return message["push"][field]

    def open(self, text: str = "", path: str = "x.flow.json", **more: Any) -> Any:
        result = self.ask("hello", path=path, text=text, **more)
        self.snapshot()
        return result

    def run(self, text: str, mode: str = "all", **more: Any) -> Mirror:
        """Run a flow and wait for its end."""
        run_id = self.ask("run", text=text, mode=mode, **{"nodes": [], "inputs": {}, **more})
        wanted = run_id["run_id"]
        return self.until(lambda m: m.run["run_id"] == wanted and m.run["ended_at"] is not None)


@pytest.fixture
def canvas(here: Path) -> Iterator[Callable[..., Canvas]]:
    """Return `canvas(subject)`, which opens one; all are closed in the end."""
    opened: list[Canvas] = []

    def make(subject: Subject | None = None) -> Canvas:
        opened.append(Canvas(subject))
        return opened[-1]

    make.forget = opened.clear  # type: ignore[attr-defined]
    yield make
    for each in opened:
        each.session.close()


@pytest.fixture(scope="session")
def flow_text() -> Callable[..., str]:
    """Return `flow_text(nodes, edges)`: a flow's file."""

    def make(nodes: Mapping[str, Any], edges: Sequence[str] = (), **rest: Any) -> str:
        data = {"format": "iaiflow/1", "name": "Test", "nodes": nodes, "edges": list(edges)}
        return json.dumps(data | rest)

    return make


@pytest.fixture(scope="session")
def mirror() -> type[Mirror]:
    """Return what stands for a browser's store."""
    return Mirror
