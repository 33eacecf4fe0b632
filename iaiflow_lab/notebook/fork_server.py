"""A process from which kernels are forked: `python -m iaiflow_lab.notebook.fork_server`.

It has imported what every kernel needs, runs nothing of it, and has one thread, so that a fork is
a whole copy. A few forked kernels wait, ready, for their runs. A kernel ends when the connection
of the one who took it closes; the server ends with its lifeline, after the kernels that are taken.
"""

from __future__ import annotations

import argparse
import gc
import os
import secrets
import select
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import tokenize
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.notebook import fork_wire
from iaiflow_lab.notebook.forked_kernel import Birth, become_kernel

#: What a kernel imports when it starts, in any case.
_KERNEL_IMPORTS: Final = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "faulthandler",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel_launcher",
    "pdb",
    "sqlite3",
    "tornado.platform.asyncio",
)
#: Where packages are installed; other folders change all the time.
_PACKAGE_FOLDERS: Final = frozenset({"site-packages", "dist-packages"})
#: How a trial import ended: the process has threads.
_HAS_THREADS: Final = 3
#: How long the server waits when it cannot even refuse, in seconds.
_BREATH: Final = 0.1
#: Where Linux lists a process's threads.
_TASKS: Final = "/proc/self/task"


@dataclass(eq=False, slots=True)
class _Taker:
    """Somebody who is connected."""

    line: socket.socket
    #: What the kernel is to take on.
    order: dict[str, Any] = field(default_factory=dict[str, Any])
    #: Its outputs.
    descriptors: list[int] = field(default_factory=list[int])
    kernel: _Kernel | None = None


@dataclass(eq=False, slots=True)
class _Kernel:
    """A forked kernel, until it is buried."""

    pid: int
    #: A descriptor that becomes readable when the process ends.
    pidfd: int
    line: socket.socket
    folder: Path
    #: How clients reach it.
    connection: dict[str, Any]
    taker: _Taker | None = None
    is_ready: bool = False
    #: Whether it has been given its order and has not answered.
    is_changing: bool = False
    #: Whether it was taken once, so that nobody may take it again.
    is_used: bool = False
    has_ended: bool = False
    #: A folder of its taker's that goes with it; "" for none.
    leftover: str = ""


class ForkServer:
    """Forks kernels and hands them out.

    Args:
        listener: Where takers connect.
        lifeline: A pipe whose closing ends the server.
        folder: Private folder for the kernels' sockets.
        spare: How many kernels wait, ready.
        environment: What the server was started with.
        late_imports: Modules that each kernel imports by itself.
        refused: What is wrong with modules that cannot be imported, by name.
    """

    def __init__(
        self,
        listener: socket.socket,
        lifeline: int,
        folder: Path,
        spare: int,
        *,
        environment: dict[str, str],
        late_imports: Sequence[str],
        refused: dict[str, str],
    ) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._folder = folder
        self._spare = spare
        self._late_imports = late_imports
        self._refused = refused
        self._environment = environment
        self._first = fork_wire.starting_environment(environment)
        self._packages = _package_times()
        self._kernels: list[_Kernel] = []
        self._takers: list[_Taker] = []
        self._waiting: list[_Taker] = []
        #: Set when a kernel did not come up: others are forked only on demand.
        self._is_careful = False
        self._is_ending = False
        #: A descriptor that is closed when one is needed and there is no other.
        self._reserve = socket.socket()
        self._selector = selectors.DefaultSelector()
        listener.setblocking(False)
        self._listen_to(listener, self._accept)
        self._listen_to(lifeline, self._end)

    def run(self) -> Birth | None:
        """Serve until the end; returns what this process is to become when it is a fork."""
        while self._kernels or not self._is_ending:
            self._match()
            short = self._short()
            if short:
                birth = self._fork()
                if birth is not None:
                    return birth
            for key, _ in self._selector.select(0 if short else None):
                key.data()
        return None

    def _listen_to(self, source: Any, action: Any) -> None:
        self._selector.register(source, selectors.EVENT_READ, action)

    def _end(self) -> None:
        """Take no more orders; kernels that nobody took notice it themselves."""
        if self._is_ending:
            return
        self._is_ending = True
        self._selector.unregister(self._lifeline)
        self._selector.unregister(self._listener)
        self._listener.close()
        for kernel in self._kernels:
            if not kernel.is_used:
                _kill_group(kernel.pid)
        for taker in list(self._waiting):
            self._refuse(taker, "The fork server is ending.")

    def _accept(self) -> None:
        try:
            line, _ = self._listener.accept()
        except BlockingIOError:
            return  # somebody else has accepted it
        except OSError as error:
            self._turn_away(f"The fork server cannot serve more: {error.strerror}.")
            return
        taker = _Taker(line)
        self._takers.append(taker)
        self._listen_to(line, partial(self._hear_taker, taker))

    def _turn_away(self, why: str) -> None:
        """Refuse somebody for whom there is no descriptor, with the one that is kept for that."""
        self._reserve.close()
        try:
            line, _ = self._listener.accept()
            with line:
                fork_wire.send(line, {"refused": why})
        except (OSError, fork_wire.WireError):
            time.sleep(_BREATH)  # the whole machine is short of them, or they have gone
        with suppress(OSError):
            self._reserve = socket.socket()

    def _hear_taker(self, taker: _Taker) -> None:
        try:
            message, descriptors = fork_wire.receive(taker.line)
        except fork_wire.WireError:
            self._leave(taker)
            return
        if message.get("ask") == "state":
            fork_wire.close_all(descriptors)
            self._answer(taker, self._state())
        elif "leftover" in message and taker.kernel is not None:
            fork_wire.close_all(descriptors)
            taker.kernel.leftover = message["leftover"]
        elif taker.order or not fork_wire.is_own(taker.line):
            fork_wire.close_all(descriptors)
            self._refuse(taker, "This connection takes no further order.")
        else:
            taker.order, taker.descriptors = message, descriptors
            self._order(taker)

    def _order(self, taker: _Taker) -> None:
        wanted = fork_wire.starting_environment(taker.order.get("environment", {}))
        if wanted != self._first:
            names = sorted(
                n for n in {*wanted, *self._first} if wanted.get(n) != self._first.get(n)
            )
            what = f"The fork server was started with another {', '.join(names)}."
            self._refuse(taker, what)
        elif _package_times() != self._packages:
            self._refuse(taker, "Packages were installed since the fork server started.")
            self._end()
        else:
            self._waiting.append(taker)

    def _match(self) -> None:
        """Give ready kernels to those who wait."""
        ready = [kernel for kernel in self._kernels if kernel.is_ready and not kernel.is_used]
        for kernel, taker in zip(ready, list(self._waiting), strict=False):
            kernel.is_used = kernel.is_changing = True
            kernel.taker, taker.kernel = taker, kernel
            self._waiting.remove(taker)
            with suppress(fork_wire.WireError):  # a kernel that has just died is noticed as such
                fork_wire.send(kernel.line, taker.order, taker.descriptors)
            _drop(taker)

    def _short(self) -> bool:
        """Say whether a kernel is to be forked now; one that is being handed out goes first."""
        spare = sum(not kernel.is_used for kernel in self._kernels)
        if self._is_ending or spare > len(self._waiting):
            wanted = spare
        else:
            wanted = len(self._waiting) + (0 if self._is_careful else self._spare)
        return spare < wanted and not any(kernel.is_changing for kernel in self._kernels)

    def _fork(self) -> Birth | None:
        try:
            if threading.active_count() > 1 or len(os.listdir(_TASKS)) > 1:  # noqa: PTH208
                self._refuse_all("The fork server has threads, so it cannot fork.")
                self._is_careful = True
                return None
            with ExitStack() as undo:
                folder = Path(tempfile.mkdtemp(prefix="k", dir=self._folder))
                undo.callback(shutil.rmtree, folder, ignore_errors=True)
                connection = _connection(folder)
                ours, theirs = fork_wire.pair()
                undo.callback(ours.close)
                undo.callback(theirs.close)
                pid = os.fork()
                undo.pop_all()
        except OSError as error:
            self._refuse_all(f"No kernel can be forked: {error.strerror}.")
            self._is_careful = True
            return None
        if not pid:
            ours.close()
            self._forget()
            return Birth(theirs, folder, self._late_imports, self._environment)
        theirs.close()
        kernel = _Kernel(pid, os.pidfd_open(pid), ours, folder, connection)
        self._kernels.append(kernel)
        self._listen_to(ours, partial(self._hear_kernel, kernel))
        self._listen_to(kernel.pidfd, partial(self._notice_end, kernel))
        return None

    def _forget(self) -> None:
        """Close, in a fork, what belongs to the server."""
        self._selector.close()
        self._listener.close()
        os.close(self._lifeline)
        self._reserve.close()
        for kernel in self._kernels:
            kernel.line.close()
            os.close(kernel.pidfd)
        for taker in self._takers:
            taker.line.close()
            _drop(taker)

    def _hear_kernel(self, kernel: _Kernel) -> None:
        if kernel not in self._kernels:
            return  # buried since it was heard
        try:
            message, _ = fork_wire.receive(kernel.line)
        except fork_wire.WireError:
            self._selector.unregister(kernel.line)
            kernel.is_changing = False
            return
        if message.get("ready"):
            kernel.is_ready = True
            self._is_careful = False
            return
        kernel.is_changing = False
        taker = kernel.taker
        if taker is None:
            return
        if message.get("taken"):
            self._answer(taker, {"pid": kernel.pid, "connection": kernel.connection})
        else:
            self._refuse(taker, str(message.get("refused")))

    def _notice_end(self, kernel: _Kernel) -> None:
        """Report an end. The process is buried later: until then its group's number is its own."""
        self._selector.unregister(kernel.pidfd)
        kernel.has_ended = True
        kernel.is_changing = False
        if kernel.taker is None:
            self._is_careful = self._is_careful or not kernel.is_used
            if not kernel.is_ready:
                self._refuse_all("A kernel ended while it was starting.")
            self._bury(kernel)
            return
        found = os.waitid(os.P_PID, kernel.pid, os.WEXITED | os.WNOWAIT)
        assert found is not None
        exited = found.si_code == os.CLD_EXITED
        self._answer(kernel.taker, {"status": found.si_status if exited else -found.si_status})

    def _leave(self, taker: _Taker) -> None:
        """End a kernel whose taker is gone, and everything in its group."""
        if taker not in self._takers:
            return  # refused since it was heard
        self._selector.unregister(taker.line)
        taker.line.close()
        _drop(taker)
        self._takers.remove(taker)
        if taker in self._waiting:
            self._waiting.remove(taker)
        kernel = taker.kernel
        if kernel is not None:
            kernel.taker = None
            _kill_group(kernel.pid)
            if kernel.has_ended:
                self._bury(kernel)

    def _bury(self, kernel: _Kernel) -> None:
        self._kernels.remove(kernel)
        _kill_group(kernel.pid)
        os.waitpid(kernel.pid, 0)
        os.close(kernel.pidfd)
        with suppress(KeyError, ValueError):
            self._selector.unregister(kernel.line)
        kernel.line.close()
        for folder in (kernel.folder, kernel.leftover):
            if folder:
                shutil.rmtree(folder, ignore_errors=True)

    def _refuse_all(self, what: str) -> None:
        for taker in list(self._waiting):
            self._refuse(taker, what)

    def _refuse(self, taker: _Taker, what: str) -> None:
        if taker in self._waiting:
            self._waiting.remove(taker)
        self._answer(taker, {"refused": what})
        self._leave(taker)

    def _answer(self, taker: _Taker, message: dict[str, Any]) -> None:
        with suppress(fork_wire.WireError):  # its leaving is noticed where its line is read
            fork_wire.send(taker.line, message)

    def _state(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "ready": sum(kernel.is_ready and not kernel.is_used for kernel in self._kernels),
            "taken": sum(kernel.taker is not None for kernel in self._kernels),
            "late_imports": list(self._late_imports),
            "refused_imports": self._refused,
        }


def _drop(taker: _Taker) -> None:
    fork_wire.close_all(taker.descriptors)
    taker.descriptors = []


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):  # before it has made its group
        os.kill(pid, signal.SIGKILL)


def _connection(folder: Path) -> dict[str, Any]:
    """Write a kernel's connection file and return what stands in it."""
    connection: Any = import_module("jupyter_client.connect")
    _, written = connection.write_connection_file(
        str(folder / "kernel.json"),
        shell_port=1,
        iopub_port=2,
        stdin_port=3,
        hb_port=4,
        control_port=5,
        ip=str(folder / "k"),
        key=secrets.token_hex(32).encode(),
        transport="ipc",
        kernel_name="python3",
    )
    return dict(written)


def _package_times() -> dict[str, int]:
    """Return when something was last installed, by folder."""
    found: dict[str, int] = {}
    for folder in map(Path, sys.path):
        if folder.name in _PACKAGE_FOLDERS:
            with suppress(OSError):
                found[str(folder)] = folder.stat().st_mtime_ns
    return found


def import_all(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Import modules that start no thread; others are left to each kernel.

    Args:
        names: The modules that people chose.

    Returns:
        Those that start threads, and what is wrong with those that cannot be imported.
    """
    for name in _KERNEL_IMPORTS:
        import_module(name)
    list(tokenize.generate_tokens(iter(["0\n"]).__next__))  # compiles its patterns
    late: list[str] = []
    refused: dict[str, str] = {}
    for name in names:
        status, said = _try_import(name)
        if status == _HAS_THREADS:
            late.append(name)
        elif status:
            refused[name] = said or f"its import ended with status {status}"
        else:
            import_module(name)
    return late, refused


def _try_import(name: str) -> tuple[int, str]:
    """Import a module in a fork and return how that ended, and what went wrong."""
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if not pid:
            os._exit(_import_in_fork(name, said.fileno()))
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read().decode(errors="replace")


def _import_in_fork(name: str, said: int) -> int:
    try:
        import_module(name)
    except BaseException as error:
        os.write(said, f"{type(error).__name__}: {error}".encode())
        return 1
    return _HAS_THREADS if len(os.listdir(_TASKS)) > 1 else 0  # noqa: PTH208


def main() -> None:
    """Serve, and in a fork be a kernel."""
    del sys.path[0]  # the current folder, as for a kernel
    environment = dict(os.environ)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parser = argparse.ArgumentParser(prog="iaiflow_lab.notebook.fork_server", description=__doc__)
    parser.add_argument("--listener", type=int, required=True, help="the socket of takers")
    parser.add_argument("--lifeline", type=int, required=True, help="closes when it shall end")
    parser.add_argument("--spare", type=int, required=True, help="how many kernels wait")
    parser.add_argument("--import", dest="imports", action="append", default=[])
    given = parser.parse_args()
    for descriptor in (given.listener, given.lifeline):
        os.set_inheritable(descriptor, False)
    late, refused = import_all(given.imports)
    gc.collect()
    gc.freeze()
    listener = socket.socket(fileno=given.listener)
    server = ForkServer(
        listener,
        given.lifeline,
        Path.cwd(),
        given.spare,
        environment=environment,
        late_imports=late,
        refused=refused,
    )
    birth = server.run()
    if birth is not None:
        become_kernel(birth)
    elif select.select([given.lifeline], [], [], 0)[0]:  # nobody else is left to do it
        shutil.rmtree(Path.cwd(), ignore_errors=True)


if __name__ == "__main__":
    main()
