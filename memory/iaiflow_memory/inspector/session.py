"""One inspector's line to its pages: requests are answered one after another, beside the cells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Final

from iaiflow_memory.errors import BadInput, MemoryFault
from iaiflow_memory.inspector.requests import Desk, Request, arguments, find

#: The version of what kernel and page say to each other.
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits for its turn."""

    #: The page, and the page's number of the request.
    view: Any
    number: Any
    request: Request
    arguments: Any
    #: In which the answer goes out: the kernel hands the next message of a comm to the subshell
    #: from which it was answered last.
    context: Context


class Session:
    """Answers the pages of one inspector.

    A page that asks anew for what it asks for already gets the newer answer alone; nothing that
    changes the memory is passed over.

    Args:
        desk: What is looked into.
        send: Sends one message to all pages; any thread may call it.
    """

    def __init__(self, desk: Desk, send: Callable[[dict[str, Any]], None]) -> None:
        self._desk = desk
        self._send = send
        self._lock = threading.Lock()
        self._waiting: list[_Asked] = []
        self._is_working = False

    def receive(self, message: Mapping[str, Any]) -> None:
        """Take one message of a page, on whatever thread it arrives; never raises."""
        view, number = message.get("view"), message.get("id")
        try:
            _check_version(message.get("v"))
            request = find(message.get("do"))
            given = arguments(request.arguments, message.get("args"))
        except Exception as error:
            self._reply(view, number, copy_context(), {"error": _told(error)})
            return
        self._take(_Asked(view, number, request, given, copy_context()))

    def _take(self, asked: _Asked) -> None:
        with self._lock:
            self._waiting = [one for one in self._waiting if not _replaces(asked, one)]
            self._waiting.append(asked)
            if self._is_working:
                return
            self._is_working = True
        threading.Thread(target=self._work, name="memory-inspector", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_working = False
                    return
                asked = self._waiting.pop(0)
            try:
                answer = {"result": asked.request.answer(self._desk, asked.arguments)}
            except Exception as error:
                answer = {"error": _told(error)}
            self._reply(asked.view, asked.number, asked.context, answer)

    def _reply(self, view: Any, number: Any, context: Context, answer: Mapping[str, Any]) -> None:
        message = {"v": VERSION, "view": view, "reply": number, **answer}
        with suppress(Exception):  # the line is dead: nobody looks any more
            context.run(self._send, message)


def _replaces(newer: _Asked, older: _Asked) -> bool:
    is_same = newer.view == older.view and newer.request is older.request
    return is_same and not older.request.is_write


def _check_version(theirs: Any) -> None:
    if theirs != VERSION:
        raise BadInput(
            "This page and iaiflow_memory in the kernel are of different versions",
            remedy="Restart the kernel, reload the page and run the cell again",
        )


def _told(error: Exception) -> dict[str, str]:
    """Return an error as a page shows it: one sentence, never a traceback."""
    if isinstance(error, MemoryFault):
        return {"code": error.code, "message": str(error)}
    what = f"Something went wrong in the kernel: {type(error).__name__}: {error}"
    return {"code": "internal", "message": what}
