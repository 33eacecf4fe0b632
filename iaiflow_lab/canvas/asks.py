"""What a run in a cell asks of people: cards in the cell's output, each with its answers."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedBaseClass=false, reportUnknownArgumentType=false
# ipywidgets and traitlets have no types of their own
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final

import anywidget

from iaiflow_lab.canvas.requests import Answered, arguments
from iaiflow_lab.canvas.session import told
from iaiflow_lab.canvas.static_files import ASKS_SCRIPT, ASKS_STYLE
from iaiflow_lab.errors import InputError

#: The version of what kernel and page say to each other.
VERSION: Final = 1


class AsksWidget(anywidget.AnyWidget):
    """Cards for what is asked. Questions go over messages, never into the widget's state.

    Answers come while the cell is busy, in the subshell that the page has for them. The kernel
    hands the next message of a comm to where it was answered last, so that everything is said in
    the context of the page's last message, and not in the cell's. That the comm was opened in the
    cell's is forgotten: the first message goes where the page says.

    Args:
        give: Takes an answer, on whatever thread it comes; raises why it cannot be taken.
    """

    if ASKS_SCRIPT.is_file():
        _esm = ASKS_SCRIPT
    if ASKS_STYLE.is_file():
        _css = ASKS_STYLE

    def __init__(self, give: Callable[[Answered], None]) -> None:
        super().__init__()
        getattr(self.comm, "__dict__", {}).pop("_reply_subshell_id", None)
        self._give = give
        self._waits: Sequence[Mapping[str, Any]] = ()
        #: None: no page has said anything yet, and nobody is told anything.
        self._context = None
        self.on_msg(self._take)

    def show(self, waits: Sequence[Mapping[str, Any]]) -> None:
        """Show what is asked now, each wait as a canvas has it."""
        self._waits = waits
        self._say({"waits": waits})

    def _take(self, _: Any, content: Any, buffers: Any) -> None:
        del buffers  # no message has any
        self._context = copy_context()
        if not isinstance(content, dict):
            return
        if content.get("do") == "answer":
            reply = {"view": content.get("view"), "reply": content.get("id")}
            self._say({**reply, **self._answered(content)})
        else:
            self._say({"waits": self._waits})

    def _answered(self, content: Mapping[str, Any]) -> dict[str, str]:
        try:
            self._give(_given(content))
        except Exception as error:
            said = told(error)
            return {"error": " ".join(filter(None, (said["message"], said["remedy"])))}
        return {}

    def _say(self, message: Mapping[str, Any]) -> None:
        if self._context is not None and self.comm is not None:
            with suppress(Exception):  # the line is dead: nobody looks any more
                self._context.copy().run(self.send, message)


def _given(content: Mapping[str, Any]) -> Answered:
    if content.get("v") != VERSION:
        raise InputError("This page and the kernel are of different versions.", remedy="Reload it.")
    return arguments(Answered, content.get("args"))
