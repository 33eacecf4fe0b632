"""One page's line to the chats: requests are answered beside the cells, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from iaiflow_agents.chat.chats import Chats
from iaiflow_agents.chat.requests import Request, arguments, find
from iaiflow_agents.chat.worker import Worker
from iaiflow_lab.errors import LabError
from iaiflow_lab.model.json_value import sendable


class Session:
    """Answers the pages of one line.

    Args:
        chats: What they see.
        send: Sends one message to them; any thread may call it.
    """

    def __init__(self, chats: Chats, send: Callable[[dict[str, Any]], None]) -> None:
        self._chats, self._send = chats, send
        #: In which messages go out: the kernel hands the next message of a comm to the subshell
        #: from which it was answered last.
        self._context = copy_context()
        #: Answers in their order, and beside them what may take long.
        self._workers = Worker("agent-chat"), Worker("agent-chat-slow")

    def receive(self, message: Mapping[str, Any]) -> None:
        """Take one message of a page, on whatever thread it arrives; never raises."""
        self._context = copy_context()
        try:
            request = find(message.get("verb"))
            given = arguments(request.arguments, message.get("args"))
            worker = self._workers[request.is_slow]
            worker.submit(partial(self._answer, message, request, given))
        except Exception as error:
            self._reply(message, {"error": told(error)})

    def push(self, message: dict[str, Any]) -> None:
        """Tell the pages something unasked."""
        with suppress(Exception):  # the line is dead: nobody looks any more
            self._say(message)

    def close(self) -> None:
        """Forget the pages; what they asked for goes on."""
        self._chats.leave(self)
        for worker in self._workers:
            worker.close()

    def _answer(self, message: Mapping[str, Any], request: Request, given: Any) -> None:
        try:
            self._chats.join(self)
            result = request.answer(self._chats, given)
        except BaseException as error:  # code of people may say `exit()`
            self._reply(message, {"error": told(error)})
            return
        self._reply(message, {"ok": result})
        if request.afterwards is not None:
            request.afterwards(self._chats, result)

    def _reply(self, message: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self.push({"view": message.get("view"), "id": message.get("id"), **answer})

    def _say(self, message: dict[str, Any]) -> None:
        context = self._context.copy()
        try:
            context.run(self._send, message)
        except (TypeError, ValueError, RecursionError):  # what tools gave holds what JSON does not
            context.run(self._send, sendable(message))


def told(error: BaseException) -> dict[str, str]:
    """Return an error as a page shows it: sentences, never a traceback."""
    if isinstance(error, LabError):
        where = f" ({error.where})" if error.where else ""
        what = f"{error.what.rstrip('.')}{where}."
        return {"code": error.code, "message": what, "remedy": error.remedy}
    return {
        "code": "internal",
        "message": f"Something went wrong in the kernel: {type(error).__name__}: {error}.",
        "remedy": "Repeat it; if it happens again, restart the kernel.",
    }
