"""A workspace that this process opens anew, and kernels to execute cells in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab.interactive.kernel import close_workspaces
from iaiflow_lab.interactive.places import LIVE_CACHE


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty workspace that is the current folder; nothing of other tests is alive."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    LIVE_CACHE.clear()
    yield workspace
    close_workspaces()


@dataclass
class Cell:
    """What executing one cell gave."""

    reply: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["msg_type"] == kind]


class Notebook:
    """A real kernel."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager = manager
        self._client = client

    def restart(self) -> None:
        """Start the kernel anew: nothing of it is left."""
        self.manager.restart_kernel(now=True)
        self._client.wait_for_ready(timeout=120)

    def execute(self, code: str, seen: Callable[[dict[str, Any]], None] = lambda _: None) -> Cell:
        """Execute a cell; `seen` gets every message of it as it arrives."""
        cell = Cell()
        request = self._client.execute(code)
        deadline = time.monotonic() + 120
        while True:
            left = max(0.1, deadline - time.monotonic())
            message = self._client.get_iopub_msg(timeout=left)
            if message["parent_header"].get("msg_id") != request:
                continue
            cell.messages.append(message)
            seen(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        cell.reply = self._reply(request)
        return cell

    def _reply(self, request: str) -> dict[str, Any]:
        """Return the answer to a request; a slow start leaves answers to other ones behind."""
        while True:
            message = self._client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == request:
                return message["content"]


@pytest.fixture
def notebook(here: Path) -> Iterator[Notebook]:
    """Return a kernel whose folder is the workspace."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(startup_timeout=120, cwd=str(here))
    try:
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.context.destroy(linger=0)
