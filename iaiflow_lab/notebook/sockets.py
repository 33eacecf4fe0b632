"""Where Unix sockets are: in private folders whose paths are short enough for every system."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

#: Longest path of a Unix socket that every system accepts, with room for a suffix, in bytes.
SOCKET_PATH: Final = 90
#: Environment variable of a worker: the folder for its sockets, which its supervisor removes.
SOCKETS: Final = "IAIFLOW_SOCKETS"


def make_socket_folder() -> Path:
    """Make a private folder with a short name for the sockets of one run, worker or crew."""
    places = (os.environ.get(SOCKETS, ""), os.environ.get("XDG_RUNTIME_DIR", ""))
    for place in (*places, tempfile.gettempdir(), "/tmp"):  # noqa: S108  mkdtemp makes it private
        if place and len(place) < SOCKET_PATH // 2 and os.access(place, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix="iaiflow-", dir=place))
    return Path(tempfile.mkdtemp(prefix="iaiflow-"))
