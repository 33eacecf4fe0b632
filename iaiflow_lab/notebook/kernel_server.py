"""The fork server of one crew of workers: started, watched, and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from select import select
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Final, Self

from iaiflow_lab.notebook import fork_wire, warm_kernels
from iaiflow_lab.notebook.kernels import has_ipython_folder
from iaiflow_lab.notebook.sockets import make_socket_folder
from iaiflow_lab.settings import Settings, state_dir

#: Pauses before a server that ended is started again, in seconds.
_FIRST_BACKOFF: Final = 0.5
_LONGEST_BACKOFF: Final = 60.0
#: A server that ran for so long has not failed at its start, in seconds.
_PROVEN: Final = 30.0
#: How long a server may take to end, in seconds.
_END: Final = 5.0


class KernelServer:
    """Keeps a fork server at hand; use as a context manager.

    Args:
        workspace: Its runs may take kernels from here, whoever executes them.
        settings: How many kernels wait, and what is imported for them.
        is_lazy: Whether it starts with the first notebook instead of now.
        tell: Takes a sentence about what happened, for people.
    """

    def __init__(
        self,
        workspace: Path,
        settings: Settings,
        *,
        is_lazy: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._address = state_dir(workspace) / warm_kernels.ADDRESS
        self._spare = settings.warm_kernels
        self._imports = settings.warm_imports
        self._is_lazy = is_lazy
        self._tell = tell
        self._is_possible = self._spare > 0 and not warm_kernels.why_impossible()
        self._folder = Path()
        self._listener = fork_wire.new_socket() if self._is_possible else None
        #: A pipe that the thread and the server watch; closing it ends both.
        self._lifeline: tuple[int, int] = (-1, -1)
        self._thread = Thread(target=self._keep, name="kernel-server", daemon=True)
        #: The server's process, once there was one.
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where kernels are taken."""
        return self._folder / "server"

    @property
    def environment(self) -> dict[str, str]:
        """What a worker needs in its environment to take kernels here."""
        return {fork_wire.SOCKET: str(self.socket)} if self._is_possible else {}

    def __enter__(self) -> Self:
        """Open the socket and keep a server behind it."""
        if self._listener is not None:
            self._folder = make_socket_folder()
            self._listener.bind(str(self.socket))
            self._listener.listen(128)
            self._tell_address()
            self._lifeline = os.pipe()
            self._thread.start()
        return self

    def _tell_address(self) -> None:
        """Write where kernels are taken; where that cannot be, only this crew finds them."""
        beside = self._folder / "address"
        beside.write_text(str(self.socket), encoding="utf-8")
        with suppress(OSError):
            # Moved there, so that a link of that name in the workspace is not followed.
            self._address.unlink(missing_ok=True)
            shutil.move(beside, self._address)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the server; one whose kernels are still in use ends after them."""
        if self._listener is None:
            return
        with suppress(OSError, UnicodeDecodeError):
            if self._address.read_text(encoding="utf-8") == str(self.socket):
                self._address.unlink()
        self.socket.unlink(missing_ok=True)
        os.close(self._lifeline[1])
        self._thread.join(_END)

    def _keep(self) -> None:
        failures = 0 if self._is_lazy else self._serve(0)
        while self._await_taker(failures):
            failures = self._serve(failures)
        os.close(self._lifeline[0])
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._listener is not None:
            self._listener.close()

    def _serve(self, failures: int) -> int:
        """Have a server until it ends; returns how many have failed in a row."""
        started = monotonic()
        try:
            self.process = self._start()
        except OSError as error:
            self._tell(f"The fork server cannot be started: {error.strerror}.")
            return failures + 1
        status = self.process.wait()
        if status == 0:
            return 0  # asked to end, or packages were installed meanwhile
        self._tell(f"The fork server ended with status {status}; kernels start cold meanwhile.")
        return 1 if monotonic() - started > _PROVEN else failures + 1

    def _start(self) -> subprocess.Popen[bytes]:
        assert self._listener is not None
        descriptors = (self._listener.fileno(), self._lifeline[0])
        command = [sys.executable, "-m", "iaiflow_lab.notebook.fork_server"]
        command += ["--listener", str(descriptors[0]), "--lifeline", str(descriptors[1])]
        command += ["--spare", str(self._spare)]
        command += [f"--import={name}" for name in self._imports]
        return subprocess.Popen(
            command,
            cwd=self._folder,  # empty, so that no file there stands in for a module
            env=self._server_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=descriptors,
            start_new_session=True,
        )

    def _server_environment(self) -> dict[str, str]:
        found = {name: v for name, v in os.environ.items() if not name.startswith("JPY_")}
        places = {} if has_ipython_folder() else {"IPYTHONDIR": str(self._folder / "ipython")}
        # Otherwise debugpy remarks, at its import, on modules that are frozen into Python.
        return {**found, **places, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}

    def _await_taker(self, failures: int) -> bool:
        """Wait until somebody wants a kernel and a start may be tried; False: it is to end."""
        assert self._listener is not None
        pause = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** min(failures - 1, 20))
        due = monotonic() + pause if failures else 0.0
        while True:
            left = due - monotonic()
            sources = [self._listener, self._lifeline[0]]
            readable, _, _ = select(sources, [], [], max(0.0, left) if due else None)
            if self._lifeline[0] in readable:
                return False
            if left <= 0:
                if readable:
                    return True
                due = 0.0
            elif readable:
                self._turn_away()

    def _turn_away(self) -> None:
        """Send somebody to the cold path, as the server has failed just now."""
        assert self._listener is not None
        with suppress(OSError, fork_wire.WireError):
            line, _ = self._listener.accept()
            with line:
                fork_wire.send(line, {"refused": "The fork server failed; it is tried again soon."})
