"""Canvases of documents reach this kernel over a comm."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from iaiflow_lab.canvas.presence import CELLS
from iaiflow_lab.canvas.session import Session, sessions

#: The comm's target; documents open it.
TARGET: Final = "iaiflow.canvas"


class CommTransport:
    """Messages over one comm. The kernel's output socket may be written to from any thread."""

    def __init__(self, comm: Any) -> None:
        self._comm = comm

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message."""
        self._comm.send(data=message, buffers=list(buffers))


def register() -> str:
    """Let canvases reach the kernel that runs this; asking again changes nothing.

    Returns:
        The version of `iaiflow_lab`.

    Raises:
        RuntimeError: This process is no kernel.
    """
    from importlib import metadata

    shell = _shell()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        raise RuntimeError("Canvases need a running Jupyter kernel.")
    kernel.comm_manager.register_target(TARGET, _opened)
    importlib.import_module("ipywidgets")  # a page that joins asks for its comm targets at once
    watch_cells(in_cell=False)  # a page asks for this after its silent cell has ended
    return metadata.version("iaiflow-lab")


def watch_cells(*, in_cell: bool) -> None:
    """Tell canvases, after each cell, what it changed; asking again changes nothing.

    Args:
        in_cell: Whether a cell asks for this, so that its end will be heard.
    """
    events = getattr(_shell(), "events", None)
    if events is not None and renew_all not in events.callbacks["post_run_cell"]:
        events.register("post_run_cell", renew_all)
        events.register("pre_execute", CELLS.begin)
        events.register("post_execute", CELLS.end)
        if in_cell:
            CELLS.begin()


def renew_all(*_: Any) -> None:
    """Tell every open canvas what changed outside of it."""
    for session in sessions():
        try:
            session.renew()
        except Exception as error:  # a cell must not fail because a canvas cannot follow
            sys.stderr.write(f"A canvas could not be updated: {error}\n")


def _opened(comm: Any, message: Mapping[str, Any]) -> None:
    del message
    session = Session(CommTransport(comm))

    def receive(received: Mapping[str, Any]) -> None:
        session.receive(received["content"]["data"], received.get("buffers", ()))

    def close(_: Mapping[str, Any]) -> None:
        session.close()

    comm.on_msg(receive)
    comm.on_close(close)


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
