"""Chats of a real kernel, over a comm on a subshell as JupyterLab opens them."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import KernelManager

PATIENCE = 90.0
REGISTER = """
import sys
from iaiflow_agents.chat.comm import register
register(); register()
print(sorted({"anthropic", "langgraph", "polars", "mcp", "sqlalchemy"} & set(sys.modules)))
"""
AGENT = """
import threading
from iaiflow_agents import Agent
analyst = Agent("analyst", model="scripted", script=[{"text": "Hello {{last}}"}])
"""
BUSY = "import time\nwhile not ended:\n    time.sleep(0.01)"


class Kernel:
    """A kernel, and a chat over a comm on a subshell."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.comm = uuid.uuid4().hex
        self.heard: list[dict[str, Any]] = []
        self.printed: dict[str, str] = {}
        self.idle: set[str] = set()
        message = client.session.msg("create_subshell_request")
        client.control_channel.send(message)
        self.subshell = client.get_control_msg(timeout=PATIENCE)["content"]["subshell_id"]

    def execute(self, code: str) -> str:
        return self.client.execute(code)

    def cell(self, code: str) -> str:
        """Execute a cell to its end and return what it printed."""
        request = self.execute(code)
        while request not in self.idle:
            self._take()
        return self.printed.get(request, "")

    def _take(self) -> None:
        message = self.client.get_iopub_msg(timeout=PATIENCE)
        kind, content = message["msg_type"], message["content"]
        parent = message["parent_header"].get("msg_id", "")
        if kind == "comm_msg" and content["comm_id"] == self.comm:
            self.heard.append(content["data"])
        elif kind == "status" and content["execution_state"] == "idle":
            self.idle.add(parent)
        elif kind == "stream":
            self.printed[parent] = self.printed.get(parent, "") + content["text"]
        assert kind != "error", content

    def say(self, kind: str, **content: Any) -> None:
        message = self.client.session.msg(kind, {"comm_id": self.comm, **content})
        message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def ask(self, number: int, verb: str, **args: Any) -> Any:
        request = {"view": "v", "id": number, "verb": verb, "args": args}
        self.say("comm_msg", data=request)
        return self.until(lambda said: said.get("id") == number)["ok"]

    def until(self, is_it: Any) -> dict[str, Any]:
        while True:
            found = next((said for said in self.heard if is_it(said)), None)
            if found is not None:
                return found
            self._take()


@pytest.fixture
def kernel(workspace: Path) -> Iterator[Kernel]:
    manager = KernelManager()
    manager.start_kernel(cwd=str(workspace))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_it_answers_while_a_cell_is_busy(kernel: Kernel) -> None:
    assert kernel.cell(REGISTER).strip() == "[]"
    kernel.cell(AGENT + "ended = []")
    busy = kernel.execute(BUSY)
    kernel.say("comm_open", target_name="iaiflow.chat", data={})
    (info,) = kernel.ask(1, "hello")["agents"]
    assert info["title"] == "analyst"
    thread = kernel.ask(2, "begin", agent=info["agent"])["id"]
    kernel.ask(3, "ask", thread=thread, exchange="e1", parent=None, text="Hi", attachments=[])
    done = kernel.until(lambda said: said.get("state") in ("done", "failed"))
    assert json.loads(done["trace"])["turns"][0]["text"] == "Hello Hi"
    assert busy not in kernel.idle
    kernel.client.session.send(  # ends the cell from the subshell
        kernel.client.shell_channel.socket, _on_subshell(kernel, "ended.append(1)")
    )
    while busy not in kernel.idle:
        kernel._take()


def _on_subshell(kernel: Kernel, code: str) -> dict[str, Any]:
    message = kernel.client.session.msg("execute_request", {"code": code, "silent": True})
    message["header"]["subshell_id"] = kernel.subshell
    return message


def test_reaching_it_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, iaiflow_agents.chat.comm;"
        "heavy = {'anthropic', 'langgraph', 'mcp', 'polars', 'duckdb', 'httpx', 'pydantic',"
        " 'sqlalchemy', 'anywidget', 'iaiflow_lab.canvas'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
