"""A memory to look into at the end of a cell."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# ipywidgets has no types of its own
from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from iaiflow_memory.errors import BadInput, Unavailable
from iaiflow_memory.inspector.requests import Desk
from iaiflow_memory.inspector.static_files import ensure_built, is_built
from iaiflow_memory.inspector.still import still

if TYPE_CHECKING:
    from iaiflow_memory.memory import Memory
    from iaiflow_memory.model import AsOf

#: The form that our own extension of JupyterLab shows; it names the widget's model.
MEMORY_TYPE: Final = "application/vnd.iaiflow.memory+json"
WIDGET_TYPE: Final = "application/vnd.jupyter.widget-view+json"
#: Least and largest height of a view, in pixels.
_LOWEST, _HIGHEST = 240, 4_000


class Inspector:
    """A view of a memory in a notebook: timeline, search with reasons, history, changes.

    The last expression of a cell shows it. The notebook's file keeps counts alone: what memories
    say goes from the kernel to the page that is looked at, and is not saved.

    Args:
        memory: The memory.
        moment: The point of the past to show, to be read only; None is the present.
        height: In pixels.

    Raises:
        BadInput: The height cannot be used.
        Unavailable: `anywidget` is not installed, or the view was not built.
    """

    def __init__(self, memory: Memory, *, moment: AsOf | None = None, height: int = 520) -> None:
        if not _LOWEST <= height <= _HIGHEST:
            raise BadInput(
                f"A view cannot be {height} pixels high",
                where="inspect",
                remedy=f"Give {_LOWEST} to {_HIGHEST}",
            )
        if find_spec("anywidget") is None:
            raise Unavailable(
                "A memory is inspected by a widget, and anywidget is not installed",
                remedy="Install it: pip install anywidget",
            )
        ensure_built()
        from iaiflow_memory.inspector.widget import InspectorWidget

        self._memory = memory
        #: The view alone, for pages that show widgets and keep no summary.
        self.widget: Any = InspectorWidget(Desk(memory, moment), height=height)

    def bundle(self) -> dict[str, Any]:
        """Return the output of its cell."""
        model = self.widget.model_id
        view = {"version_major": 2, "version_minor": 0, "model_id": model}
        return {MEMORY_TYPE: {"model_id": model}, WIDGET_TYPE: view, **still(self._memory)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        del include, exclude  # the front end takes what it likes best
        return self.bundle()

    def _display_(self) -> Any:
        """Return what marimo shows."""
        return self.widget


def bundle(memory: Memory, moment: AsOf | None = None) -> dict[str, Any]:
    """Return what a bare memory shows at a cell's end: an inspector where one can be.

    Args:
        memory: The memory.
        moment: The point of the past to show; None is the present.
    """
    if not (_is_kernel() and is_built() and find_spec("anywidget")):
        return still(memory)
    return Inspector(memory, moment=moment).bundle()


def _is_kernel() -> bool:
    """Say whether this process has a page that can ask it."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return getattr(shell, "kernel", None) is not None
