"""The line to the pages that show this kernel's notebook; one of them does what is asked.

The kernel offers each request to everybody who hears it. Pages that show its notebook claim it, the
first one is told to do it, and the others leave it alone. All of it are messages of comms that
nobody opens: a page that does not know them takes no notice.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, cast

from iaiflow_lab.errors import NodeError

#: The comms by which pages are asked, and by which they answer. By one comm alone, answers would go
#: to the shell that asked, and wait there for the end of its cell.
ASKS: Final = "iaiflow.notebook"
ANSWERS: Final = "iaiflow.notebook.answers"
#: How long pages are waited for, in seconds: one in the background may be slow.
CLAIM_S: Final = 20.0
#: How long an edit may take a page, in seconds.
EDIT_S: Final = 30.0

Send = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class _Request:
    """One request that is under way."""

    loop: asyncio.AbstractEventLoop
    #: The page that does it.
    claimed: asyncio.Future[str]
    #: What it gave.
    answered: asyncio.Future[Mapping[str, Any]]


class NotebookLine:
    """Asks the pages of one kernel.

    Args:
        send: Sends a message to all of them; any thread may call it.
        claim_s: How long they are waited for, in seconds.
    """

    def __init__(self, send: Send, *, claim_s: float = CLAIM_S) -> None:
        self._send, self._claim_s = send, claim_s
        self._requests: dict[str, _Request] = {}
        self._lock = threading.Lock()

    async def ask(
        self, verb: str, arguments: Mapping[str, Any], timeout: float = EDIT_S
    ) -> Mapping[str, Any]:
        """Have one page do something in the notebook, and return what it says of it.

        Args:
            verb: What to do: `read`, `insert`, `edit`, `delete` or `run`.
            arguments: Of the verb.
            timeout: How long that page may take, in seconds.

        Raises:
            NodeError: No page shows the notebook, the page refused, or it did not answer.
        """
        with self._request() as (name, request):
            self._send({"kind": "offer", "id": name})
            page = await self._claim(request)
            self._send(
                {"kind": "do", "id": name, "page": page, "verb": verb, "arguments": arguments}
            )
            try:
                answer = await asyncio.wait_for(request.answered, timeout)
            except TimeoutError:
                raise NodeError(
                    f"The page that shows the notebook has not answered for {timeout:g} seconds.",
                    remedy="Read the notebook to see what was done.",
                    code="notebook-silent",
                ) from None
        if "refused" in answer:
            raise NodeError(str(answer["refused"]), code="notebook-refused")
        return cast("Mapping[str, Any]", answer.get("value", {}))

    def receive(self, message: Mapping[str, Any]) -> None:
        """Take a message of a page, on whatever thread it comes."""
        with self._lock:
            request = self._requests.get(str(message.get("id")))
        if request is None:
            return  # somebody else was first, or nobody waits any more
        future: asyncio.Future[Any]
        match message.get("kind"):
            case "claim":
                future, value = request.claimed, str(message.get("page"))
            case "answer":
                future, value = request.answered, message
            case _:
                return
        with suppress(RuntimeError):  # the loop has ended
            request.loop.call_soon_threadsafe(_settle, future, value)

    @contextmanager
    def _request(self) -> Generator[tuple[str, _Request]]:
        loop = asyncio.get_running_loop()
        name = secrets.token_hex(8)
        request = _Request(loop, loop.create_future(), loop.create_future())
        with self._lock:
            self._requests[name] = request
        try:
            yield name, request
        finally:
            with self._lock:
                del self._requests[name]

    async def _claim(self, request: _Request) -> str:
        try:
            return await asyncio.wait_for(request.claimed, self._claim_s)
        except TimeoutError:
            raise NodeError(
                "No open page shows the notebook of this kernel.",
                remedy="Open it in JupyterLab or Notebook, where this package's extension is.",
                code="notebook-closed",
            ) from None


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


_lines: Final[dict[int, NotebookLine]] = {}
_opening: Final = threading.Lock()


def notebook_line() -> NotebookLine:
    """Return the line of this process.

    Raises:
        NodeError: This process is no kernel of a notebook.
    """
    kernel = getattr(_shell(), "kernel", None)
    if kernel is None:
        raise NodeError(
            "There is no notebook here: tools for cells work in the kernel of a notebook.",
            remedy="Run the agent in a cell, or on the canvas of a notebook.",
            code="notebook-absent",
        )
    with _opening:
        if os.getpid() not in _lines:
            _lines[os.getpid()] = _open(kernel)
        return _lines[os.getpid()]


def is_cell_running() -> bool:
    """Say whether the kernel executes a cell, so that another one would wait for its end."""
    trap = getattr(_shell(), "display_trap", None)
    return bool(trap is not None and trap.is_active)


def _open(kernel: Any) -> NotebookLine:
    from comm import create_comm

    asks = create_comm(target_name=ASKS, comm_id=ASKS, primary=False)
    answers = create_comm(target_name=ANSWERS, comm_id=ANSWERS, primary=False)
    line = NotebookLine(lambda message: asks.send(data=dict(message)))
    answers.on_msg(lambda received: line.receive(received["content"]["data"]))
    kernel.comm_manager.register_comm(answers)
    return line


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
