"""A kernel forked from the fork server: it comes up at once and waits for its run.

Until it is taken it has executed nothing. Then it takes on the folder, the environment, the outputs
and the limits of its run, and lets go of the server.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gc
import os
import random
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

from iaiflow_lab.notebook import fork_wire, resource_limits

#: Any parent that is never gone, by which ipykernel is told to watch for none.
_NO_PARENT: Final = 1
#: Set by ipykernel where the user has not said otherwise.
_PLOTS: Final = "MPLBACKEND"
#: Where the process itself writes until it is taken, by descriptor.
LOGS: Final = {1: "out", 2: "err"}


@dataclass(frozen=True, slots=True)
class Birth:
    """What a forked process is to become."""

    #: Its connection to the server.
    line: socket.socket
    #: Its private folder, which holds its connection file.
    folder: Path
    #: Modules to import before it is ready: they start threads, so the server cannot.
    late_imports: Sequence[str]
    #: The environment with which the server was started.
    environment: Mapping[str, str]


def become_kernel(birth: Birth) -> None:
    """Be a kernel until asked to end."""
    _leave_parent(birth.folder)
    for name in birth.late_imports:
        with suppress(Exception):  # the server has tried it and said what is wrong
            import_module(name)
    connection = str(birth.folder / "kernel.json")
    launcher: Any = import_module("ipykernel_launcher")
    sys.argv = [launcher.__file__, "-f", connection]
    kernels: Any = import_module("ipykernel.kernelapp")
    app = kernels.IPKernelApp.instance(parent_handle=_NO_PARENT)
    app.initialize(["-f", connection, "--HistoryManager.hist_file=:memory:"])
    loop: Any = import_module("tornado.ioloop").IOLoop.current()
    waiting = _Waiting(birth, app, loop)
    loop.add_handler(birth.line.fileno(), waiting.receive, loop.READ)
    app.shell.transform_cell("0")  # what the first cell would make, with what it shows
    app.shell.display_formatter.format(0)
    loop.add_callback(waiting.say_ready)
    inherited = frozenset(sys.modules)
    app.start()
    _leave(inherited)


def _leave(inherited: frozenset[str]) -> NoReturn:
    """End as an interpreter does, but leave in place what this process has from the server.

    To take that apart means to copy it first, and takes longer than a short notebook does.

    Args:
        inherited: Names of the modules that the run did not import.
    """
    ending: Any = threading
    ending._shutdown()  # noqa: SLF001  waits for all threads that are no daemons
    ending = atexit
    ending._run_exitfuncs()  # noqa: SLF001
    for name in sys.modules.keys() - inherited:
        del sys.modules[name]
    gc.collect()  # writes what waits in files that nobody closed
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or replaced by anything
            stream.flush()
    ctypes.PyDLL(None).exit(0)
    raise AssertionError


def _leave_parent(folder: Path) -> None:
    """Be a process of its own: session, signals, outputs, random numbers."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in LOGS.items():
        log = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, number)
        os.close(log)
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _end_with(lifeline: int) -> None:
    """Have the system kill this process and its group when the other end of a pipe closes.

    Nothing that a cell does can delay that, and it needs no server.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)


class _Waiting:
    """A kernel that is ready, until it is taken.

    Args:
        birth: Its connection and folder.
        app: ipykernel's application.
        loop: The kernel's event loop.
    """

    def __init__(self, birth: Birth, app: Any, loop: Any) -> None:
        self._line = birth.line
        self._folder = birth.folder
        self._app = app
        self._loop = loop
        self._first = birth.environment

    def say_ready(self) -> None:
        """Tell the server that requests are answered from now on."""
        with suppress(fork_wire.WireError):
            fork_wire.send(self._line, {"ready": True})

    def receive(self, *_: Any) -> None:
        """Take on what the run gives, or end with the server."""
        try:
            order, descriptors = fork_wire.receive(self._line)
        except fork_wire.WireError:
            shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(0)
        try:
            self._serve(order, descriptors)
        except (OSError, ValueError) as error:
            answer = {"refused": f"A warm kernel cannot serve this run: {error}."}
        else:
            answer = {"taken": True}
        finally:
            fork_wire.close_all(descriptors)
        with suppress(fork_wire.WireError):
            fork_wire.send(self._line, answer)
        self._loop.remove_handler(self._line.fileno())
        self._line.close()

    def _serve(self, order: dict[str, Any], descriptors: Sequence[int]) -> None:
        os.chdir(order["folder"])
        self._app.shell.history_manager.dir_hist[:] = [Path.cwd()]
        self._set_environment(order["environment"])
        *outputs, lifeline = descriptors
        for descriptor, number in zip(outputs, LOGS, strict=True):
            self._redirect(number, descriptor)
        _end_with(os.dup(lifeline))
        resource_limits.apply(order["limits"])

    def _set_environment(self, wanted: dict[str, str]) -> None:
        """Take on an environment; what the kernel's libraries have set in their own stays."""
        own = {name: v for name, v in os.environ.items() if self._first.get(name) != v}
        if wanted.get(_PLOTS):
            own.pop(_PLOTS, None)
        os.environ.clear()
        os.environ.update(wanted | own)
        time.tzset()
        session = wanted.get("JPY_SESSION_NAME")
        if session:
            self._app.shell.user_ns["__session__"] = session

    def _redirect(self, number: int, target: int) -> None:
        """Let everything that writes to a first log write to `target` instead.

        ipykernel has put a pipe in the place of each output and keeps the log elsewhere.
        """
        log = self._folder / LOGS[number]
        wanted = log.stat()
        with log.open("rb") as said:
            shutil.copyfileobj(said, open(target, "wb", closefd=False))  # noqa: SIM115
        for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208  numbers, not paths
            with suppress(OSError):
                found = os.fstat(int(entry))
                if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                    os.dup2(target, int(entry), inheritable=int(entry) == number)
