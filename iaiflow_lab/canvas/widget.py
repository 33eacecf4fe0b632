"""The canvas in a cell's output: a widget whose browser side is one built file."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedBaseClass=false, reportUnknownArgumentType=false
# ipywidgets and traitlets have no types of their own
from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any, Final

import anywidget
import traitlets

from iaiflow_lab.canvas.boards import board_for
from iaiflow_lab.canvas.comm import watch_cells
from iaiflow_lab.canvas.desk import folder_of
from iaiflow_lab.canvas.session import Session
from iaiflow_lab.canvas.static_files import SCRIPT, STYLE, ensure_built
from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.model.file import dump

#: The form that our own extension of JupyterLab shows; it names the widget's model.
CANVAS_TYPE: Final = "application/vnd.iaiflow.canvas+json"
WIDGET_TYPE: Final = "application/vnd.jupyter.widget-view+json"
#: What the widget says of its page when our extension of JupyterLab draws it.
LAB_HOST: Final = "lab"


class CanvasWidget(anywidget.AnyWidget):
    """One canvas in a cell's output. What runs and values say goes over messages, never its state.

    Args:
        subject: The flow that it shows.
        name: The flow's name.
        path: Its file as people see it; "" when it has none.
        height: Height of the canvas, in pixels.

    Raises:
        NotFoundError: The browser side was not built.
    """

    if SCRIPT.is_file():
        _esm = SCRIPT
    if STYLE.is_file():
        _css = STYLE

    #: The flow's file text when it was shown, or last edited.
    text = traitlets.Unicode().tag(sync=True)
    path = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(480, min=120, max=4_000).tag(sync=True)
    #: Which page draws it: `lab` for our extension of JupyterLab, else whatever it says; "": none.
    host = traitlets.Unicode().tag(sync=True)

    def __init__(self, subject: Subject, *, name: str, path: str, height: int) -> None:
        ensure_built()
        self.flow_name = name
        self.is_drawn = False
        super().__init__(text=dump(subject.read()), path=path, height=height)
        board_for(subject.key, folder_of(subject))  # runs count from now, though no page is there
        self._session = Session(_Line(self), subject)
        watch_cells(in_cell=True)
        self.on_msg(self._take)

    def bundle(self, still: dict[str, str]) -> dict[str, Any]:
        """Return the output of its cell.

        Args:
            still: The flow as a picture and as text, for readers without a kernel.
        """
        canvas = {
            "model_id": self.model_id,
            "path": self.path,
            "name": self.flow_name,
            "version": metadata.version("iaiflow-lab"),
        }
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {CANVAS_TYPE: canvas, WIDGET_TYPE: view, **still}

    @property
    def may_change(self) -> bool:
        """Whether its output may be written anew without the canvas being drawn anew."""
        return not self.is_drawn or self.host == LAB_HOST

    def close(self) -> None:
        """Take it off the page; a run that it started goes on."""
        if hasattr(self, "_session"):
            self._session.close()
        super().close()

    def _take(self, _: Any, content: Any, buffers: Any) -> None:
        self.is_drawn = True
        if isinstance(content, dict):
            self._session.receive(content, buffers or ())


class _Line:
    """Carries a session's messages over a widget."""

    def __init__(self, widget: CanvasWidget) -> None:
        self._widget = widget

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message to the browser; any thread may call it.

        Raises:
            ConnectionError: The widget was closed.
        """
        if self._widget.comm is None:
            raise ConnectionError("The canvas was closed.")
        self._widget.send(message, list(buffers))
