"""A page that talks with agents: requests go in, replies and pushes come out."""

from __future__ import annotations

import itertools
import json
import queue
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from iaiflow_agents import Agent
from iaiflow_agents.chat import house, kernel
from iaiflow_agents.chat.chats import Chats
from iaiflow_agents.chat.session import Session
from iaiflow_agents.tools.functions import CELL_TOOLS
from iaiflow_lab.interactive.kernel import close_workspaces
from iaiflow_lab.sdk.node import CELL_TYPES

#: Longest wait for a message, in seconds: only a hang takes so long.
PATIENCE = 90.0
_NAMES = itertools.count(1)
ENDED = ("done", "stopped", "failed")


class Page:
    """One page of a chat."""

    def __init__(self, agent: Agent | None = None) -> None:
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.pushes: list[dict[str, Any]] = []
        self.session = Session(Chats(agent), self._take)
        self._numbers = itertools.count(1)

    def _take(self, message: dict[str, Any]) -> None:
        self.said.put(json.loads(json.dumps(message, allow_nan=False)))

    def send(self, verb: Any, args: Any) -> int:
        number = next(self._numbers)
        self.session.receive({"view": "v", "id": number, "verb": verb, "args": args})
        return number

    def reply(self, number: int) -> dict[str, Any]:
        while True:
            message = self.said.get(timeout=PATIENCE)
            if message.get("id") == number:
                assert message["view"] == "v"
                return message
            self.pushes.append(message)

    def __call__(self, verb: str, **args: Any) -> Any:
        found = self.reply(self.send(verb, args))
        assert "error" not in found, found
        return found["ok"]

    def refusal(self, verb: Any, **args: Any) -> dict[str, Any]:
        return self.reply(self.send(verb, args))["error"]

    def begin(self, agent: Mapping[str, Any] | None = None) -> str:
        return self("begin", agent=agent or {"kind": "kernel", "name": "analyst"})["id"]

    def question(self, thread: str, text: str, parent: str | None = None, **more: Any) -> Any:
        exchange = f"e{next(_NAMES)}"
        return {"thread": thread, "exchange": exchange, "text": text, "parent": parent, **more}

    def ask(self, thread: str, text: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
        """Ask, and return the exchange as it ended."""
        question = self.question(thread, text, parent, **more)
        self("ask", **question)
        return self.ended(thread, question["exchange"])

    def ended(self, thread: str, exchange: str) -> dict[str, Any]:
        self.until(lambda push: push.get("exchange") == exchange and push.get("state") in ENDED)
        return self.exchange(thread, exchange)

    def exchange(self, thread: str, exchange: str) -> dict[str, Any]:
        found = self("thread", id=thread)["thread"]["exchanges"]
        return next(one for one in found if one["id"] == exchange)

    def until(self, is_it: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Return the first push that is so, also one that came before."""
        for push in self.pushes:
            if is_it(push):
                return push
        while True:
            message = self.said.get(timeout=PATIENCE)
            self.pushes.append(message)
            if is_it(message):
                return message

    def asks(self, exchange: str) -> list[dict[str, Any]]:
        push = self.until(
            lambda push: push["push"] == "asks" and push["exchange"] == exchange and push["asks"]
        )
        return push["asks"]


def text_of(exchange: Mapping[str, Any]) -> str:
    """Return what an agent said last."""
    return json.loads(exchange["trace"])["turns"][-1]["text"]


def forget_kernel() -> None:
    """Let all that this process knows of chats go, as a kernel does that ends."""
    house._houses.clear()


@pytest.fixture(autouse=True)
def names(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Return the variables of the notebook."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    found: dict[str, Any] = {}
    monkeypatch.setattr(kernel, "shell", lambda: SimpleNamespace(user_ns=found))
    cells, tools = dict(CELL_TYPES), dict(CELL_TOOLS)
    yield found
    for kept, known in ((CELL_TYPES, cells), (CELL_TOOLS, tools)):
        kept.clear()
        kept.update(known)
    forget_kernel()
    close_workspaces()


@pytest.fixture
def pages() -> Iterator[Callable[..., Page]]:
    """Return what opens pages."""
    opened: list[Page] = []

    def open_page(agent: Agent | None = None) -> Page:
        opened.append(Page(agent))
        return opened[-1]

    yield open_page
    for page in opened:
        page.session.close()


@pytest.fixture
def page(pages: Callable[..., Page]) -> Page:
    """Return a page of a panel."""
    return pages()


@pytest.fixture
def scripted(names: dict[str, Any]) -> Callable[..., Agent]:
    """Return what makes the agent `analyst` of the notebook, which plays a script."""

    def make(*script: Any, name: str = "analyst", **how: Any) -> Agent:
        names[name] = Agent(name, model="scripted", script=list(script), **how)
        return names[name]

    return make
