"""`iaiflow serve` as a child of Jupyter: started with it, started again, ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Final

from iaiflow_lab.api.address import KEY_FILE, served_at
from iaiflow_lab.settings import find_workspace, state_dir

#: Pauses before a child that ended is started again, in seconds.
_FIRST_BACKOFF: Final = 0.5
_LONGEST_BACKOFF: Final = 60.0
#: A child that ran for so long has not failed at its start, in seconds.
_PROVEN: Final = 30.0
#: How often it is checked whether another process still serves the workspace, in seconds.
_LOOK_EVERY: Final = 2.0


class Child:
    """Keeps the workspace served while this process lives.

    The child holds one end of a pipe; when this process ends, however it does, the other end closes
    and the child lets its runs end. Where another process serves the workspace, there is no child.

    Args:
        folder: A folder in the workspace.
        tell: Takes a sentence about what happened, for the log.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._workspace = find_workspace(folder)
        self._state = state_dir(self._workspace)
        self._tell = tell
        self._starting = Lock()
        self._thread: Thread | None = None
        #: How often in a row it ended soon after its start.
        self._failures = 0

    @property
    def is_failing(self) -> bool:
        """Whether starting it anew did not help: its log says why."""
        return self._failures > 1

    @property
    def is_known(self) -> bool:
        """Whether the folder is a workspace already, so that schedules may have to fire."""
        return self._state.is_dir()

    def start(self) -> None:
        """Begin to keep the workspace served; started again, it does nothing."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._keep, name="iaiflow-serve", daemon=True)
                self._thread.start()

    def address(self) -> str:
        """Return where the workspace is served, by whomever; "" while it is not."""
        return served_at(self._state)

    def secret(self) -> str:
        """Return the secret of whoever serves it; "" when none is needed."""
        try:
            return (self._state / KEY_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _keep(self) -> None:
        while True:
            if address := self.address():
                self._tell(f"Another process serves {self._workspace}, at {address}.")
                while self.address():
                    sleep(_LOOK_EVERY)
            started = monotonic()
            status = self._run()
            self._failures = 1 if monotonic() - started > _PROVEN else self._failures + 1
            pause = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** min(self._failures - 1, 20))
            self._tell(f"`iaiflow serve` ended with status {status}; again in {pause:g} s.")
            sleep(pause)

    def _run(self) -> int:
        """Have a child until it ends; returns its status."""
        theirs, ours = os.pipe()
        try:
            command = [sys.executable, "-P", "-m", "iaiflow_lab", "serve", "--parent", str(theirs)]
            child = subprocess.Popen(
                command,
                cwd=self._workspace,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs,),
                start_new_session=True,  # a Ctrl-C in Jupyter's terminal is not meant for it
            )
        except OSError as error:
            os.close(ours)
            self._tell(f"`iaiflow serve` cannot be started: {error.strerror}.")
            return -1
        finally:
            os.close(theirs)
        try:
            return child.wait()
        finally:
            os.close(ours)
