"""What all flows of this process share: open workspaces, live outputs, the notebook's folder."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from iaiflow_lab.errors import LabError
from iaiflow_lab.settings import find_workspace

if TYPE_CHECKING:
    from iaiflow_lab.service.session import Session

#: Set by Jupyter in its kernels: the notebook's path.
_NOTEBOOK: Final = "JPY_SESSION_NAME"

#: Open workspaces by process and folder: a forked child needs connections of its own.
_sessions: dict[tuple[int, Path], Session] = {}
_lock = threading.Lock()


def notebook_folder() -> Path:
    """Return the folder of the notebook that this kernel serves, else the current folder."""
    notebook = notebook_file()
    return Path.cwd() if notebook is None else notebook.parent


def notebook_file() -> Path | None:
    """Return the notebook that this kernel serves; None when it is not known."""
    notebook = Path(os.environ.get(_NOTEBOOK, ""))
    return notebook if notebook.is_absolute() and notebook.is_file() else None


def open_workspace(folder: Path | None = None) -> Session:
    """Return the open workspace around `folder`; it stays open until this process ends.

    Args:
        folder: A folder; None: the notebook's own.

    Raises:
        InputError: The folder does not exist or cannot be written.
        StoreError: The workspace's database cannot be used.
    """
    from iaiflow_lab.service.session import open_session

    workspace = find_workspace(folder or notebook_folder())
    with _lock:
        key = (os.getpid(), workspace)
        if key not in _sessions:
            _sessions[key] = open_session(workspace)
        return _sessions[key]


@atexit.register
def close_workspaces() -> None:
    """Close the workspaces that this process opened; the next use opens them again."""
    with _lock:
        for process, workspace in list(_sessions):
            session = _sessions.pop((process, workspace))
            if process == os.getpid():
                with suppress(LabError):
                    session.close()
