"""The boards of this kernel: one for each flow that was ever open on a canvas."""

from __future__ import annotations

import threading
from pathlib import Path, PurePath
from typing import Final
from weakref import WeakKeyDictionary

from iaiflow_lab.canvas.board import Board
from iaiflow_lab.canvas.catalog_data import present_catalog
from iaiflow_lab.interactive import audience
from iaiflow_lab.settings import find_workspace

_lock = threading.Lock()
_by_path: Final[dict[PurePath, Board]] = {}
_by_object: Final[WeakKeyDictionary[object, Board]] = WeakKeyDictionary()


def board_for(key: object, folder: Path) -> Board:
    """Return the board of a flow; what it shows outlives its canvases, as after a page reload.

    Args:
        key: The resolved path of the flow's file, or the object that holds it.
        folder: Where relative paths of the flow start.
    """
    with _lock:
        found = _by_path.get(key) if isinstance(key, PurePath) else _by_object.get(key)
        if found is None:
            workspace = find_workspace(folder)
            found = Board(lambda: present_catalog(workspace), folder)
            if isinstance(key, PurePath):
                _by_path[key] = found
            else:
                _by_object[key] = found
            audience.join(key, found)
        return found
