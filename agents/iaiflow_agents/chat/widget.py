"""A chat in a cell's output: a widget whose browser side is one built file."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedBaseClass=false, reportUnknownArgumentType=false
# ipywidgets, traitlets and IPython's display have no types of their own
from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets

from iaiflow_agents.chat.chats import Chats
from iaiflow_agents.chat.partners import name_of
from iaiflow_agents.chat.session import Session
from iaiflow_agents.chat.static_files import SCRIPT, STYLE, ensure_built
from iaiflow_agents.chat.still import still
from iaiflow_agents.chat.thread import KernelAgent, Thread
from iaiflow_lab.errors import InputError, LabError, NotFoundError

if TYPE_CHECKING:
    from iaiflow_agents.agent import Agent

#: The form that our own extension of JupyterLab shows; it names the widget's model.
CHAT_TYPE: Final = "application/vnd.iaiflow.chat+json"
WIDGET_TYPE: Final = "application/vnd.jupyter.widget-view+json"
#: Least and largest height of a chat, in pixels.
LOWEST, HIGHEST = 240, 4_000
#: What the widget says of its page when our extension of JupyterLab draws it.
_LAB: Final = "lab"


class ChatWidget(anywidget.AnyWidget):
    """One chat. What is said goes over messages, never into the widget's state.

    Args:
        chats: What it shows.
        told: Called with what pages are told unasked.
        height: In pixels.
    """

    if SCRIPT.is_file():
        _esm = SCRIPT
    if STYLE.is_file():
        _css = STYLE

    height = traitlets.Int(560, min=LOWEST, max=HIGHEST).tag(sync=True)
    #: Which page draws it: `lab` for our extension of JupyterLab; "": another one, or none.
    host = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, chats: Chats, told: Callable[[Mapping[str, Any]], None], *, height: int
    ) -> None:
        super().__init__(height=height)
        self._told = told
        self._session = Session(chats, self._say)
        self.on_msg(self._take)

    def _say(self, message: dict[str, Any]) -> None:
        if self.comm is None:
            raise ConnectionError("The chat was closed.")
        self.send(message)
        if "push" in message:
            self._told(message)

    def _take(self, _: Any, content: Any, buffers: Any) -> None:
        del buffers  # no request has any
        if isinstance(content, dict):
            self._session.receive(content)

    def close(self) -> None:
        """Take it off the page; what was asked goes on."""
        self._session.close()
        super().close()


class Chat:
    """A chat with one agent, in a notebook.

    The last expression of a cell shows it. The notebook's file keeps what was said as text.

    Args:
        agent: The agent.
        height: In pixels.

    Raises:
        InputError: The height can't be used.
        NotFoundError: The browser side was not built.
    """

    def __init__(self, agent: Agent, *, height: int = 560) -> None:
        if not LOWEST <= height <= HIGHEST:
            raise InputError(
                f"A chat can't be {height} pixels high.", remedy=f"{LOWEST} to {HIGHEST} can."
            )
        ensure_built()
        self._agent = agent
        self._chats = Chats(agent)
        self._handle: Any = None
        #: The view alone, for pages that show widgets and keep no text.
        self.widget: Any = ChatWidget(self._chats, self._renew, height=height)

    def bundle(self) -> dict[str, Any]:
        """Return the output of its cell."""
        model = self.widget.model_id
        view = {"version_major": 2, "version_minor": 0, "model_id": model}
        spec = self._agent.spec
        text = still(spec.name, spec.model.name, self._latest())
        return {CHAT_TYPE: {"model_id": model}, WIDGET_TYPE: view, **text}

    def _renew(self, message: Mapping[str, Any]) -> None:
        """Write the text in the notebook anew once an answer is there, where a page allows it."""
        has_ended = message["push"] == "exchange" and message["state"] not in ("sending", "working")
        if has_ended and self._handle is not None and self.widget.host == _LAB:
            with suppress(Exception):  # the line to the notebook is closed
                self._handle.update(self.bundle(), raw=True)

    def _latest(self) -> Thread | None:
        """Return the thread with this agent in which something was asked last."""
        agent = KernelAgent(name_of(self._agent))
        with suppress(LabError, NotFoundError):
            return self._chats.house.latest(agent)
        return None

    def _ipython_display_(self) -> None:
        from IPython.display import display

        self._handle = display(self.bundle(), raw=True, display_id=True)

    def _display_(self) -> Any:
        """Return what marimo shows."""
        return self.widget
