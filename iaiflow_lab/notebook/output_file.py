"""The output notebook, written again and again while it grows, and whole at any moment."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any

from iaiflow_lab.safe.redact import RESOLVED

#: Shortest time between two writes while a cell runs, in seconds.
_PAUSE = 1.0
#: Share of the time that writing may take: after a slow write the next one waits this much longer.
_REST = 10.0
_UNSAFE = re.compile(r"[^\w.\-\[\]]+")


def folder_of(run_dir: Path, step: str) -> Path:
    """Return the folder in which a run keeps the output notebook of a step."""
    return run_dir / _UNSAFE.sub("_", step)


class OutputFile:
    """Writes a notebook to a file, which is replaced as a whole.

    Args:
        notebook: The notebook, an nbformat node that changes while it is executed.
        path: The file; None: nothing is written.
    """

    def __init__(self, notebook: Any, path: Path | None) -> None:
        self._notebook = notebook
        self._path = path
        self._due = 0.0
        self._rest = 0.0
        self._lacks_cells = False

    @property
    def due(self) -> bool:
        """Whether the last write is long enough ago."""
        return monotonic() >= self._due

    @property
    def is_behind(self) -> bool:
        """Whether a cell has ended since the last write, unless writing has become slow."""
        return self._lacks_cells and (self._rest < _PAUSE or self.due)

    def cell_ended(self) -> None:
        """Note that there is something to write; cells that end at once are written together."""
        self._lacks_cells = True

    def save(self) -> None:
        """Write now."""
        self._lacks_cells = False
        if self._path is None:
            return
        nbformat: Any = import_module("nbformat.v4")
        started = monotonic()
        temporary = self._path.with_name(f".{self._path.name}.part")
        text = RESOLVED.text(str(nbformat.writes(self._notebook)))
        try:
            temporary.write_text(text + "\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError:  # the disk is full: what was written before stays, and no half of this
            temporary.unlink(missing_ok=True)
            raise
        self._rest = (monotonic() - started) * _REST
        self._due = monotonic() + max(_PAUSE, self._rest)
