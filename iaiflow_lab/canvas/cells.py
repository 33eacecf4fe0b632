"""The cell that is being executed: who it is, and its source."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Cell:
    """One execution of a notebook's cell."""

    #: The cell's id, where the front end tells it; "" otherwise.
    id: str
    #: Its text as it was typed.
    source: str
    #: The number of the execution, from 1.
    number: int


def current_cell() -> Cell | None:
    """Return the cell that is being executed; None outside of a notebook's kernel."""
    module = sys.modules.get("IPython")
    shell: Any = module.get_ipython() if module is not None else None
    if getattr(shell, "kernel", None) is None:
        return None
    inputs = cast("list[str]", getattr(shell.history_manager, "input_hist_raw", [""]))
    return Cell(_id(shell), inputs[-1] if inputs else "", int(shell.execution_count))


def _id(shell: Any) -> str:
    """Return the id that JupyterLab and others send with the request to execute."""
    try:
        metadata: dict[str, Any] = shell.kernel.get_parent("shell")["metadata"]
        return str(metadata.get("cellId", ""))
    except (AttributeError, LookupError, TypeError):
        return ""
