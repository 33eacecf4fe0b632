"""The inspector in a cell's output: a widget whose browser side is one built file."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedBaseClass=false, reportUnknownArgumentType=false
# ipywidgets and traitlets have no types of their own
from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from iaiflow_memory.inspector.requests import Desk
from iaiflow_memory.inspector.session import Session
from iaiflow_memory.inspector.static_files import SCRIPT, STYLE


class InspectorWidget(anywidget.AnyWidget):
    """One inspector. What memories say goes over messages, never into the widget's state.

    Args:
        desk: What is looked into.
        height: In pixels.
    """

    if SCRIPT.is_file():
        _esm = SCRIPT
    if STYLE.is_file():
        _css = STYLE

    height = traitlets.Int(520, min=240, max=4_000).tag(sync=True)

    def __init__(self, desk: Desk, *, height: int) -> None:
        super().__init__(height=height)
        self._session = Session(desk, self.send)
        self.on_msg(self._take)

    def _take(self, _: Any, content: Any, buffers: Any) -> None:
        del buffers  # no request has any
        if isinstance(content, dict):
            self._session.receive(content)
