"""Taking a kernel that is ready from a fork server."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from iaiflow_lab.errors import LabError
from iaiflow_lab.notebook import fork_wire
from iaiflow_lab.notebook.kernels import DEFAULT_KERNEL, InstalledKernels
from iaiflow_lab.settings import find_workspace, state_dir

#: How long a fork server may take to hand out a kernel, or to say how it ended, in seconds.
_PATIENCE: Final = 5.0
#: File in the state folder that names the socket of the workspace's server.
ADDRESS: Final = "warm-kernels"
#: Exit status of a kernel that ended when its server was gone already.
STATUS_UNKNOWN: Final = 255
#: The command of an IPython kernel, after the interpreter; the connection file follows.
_LAUNCH: Final = ["-m", "ipykernel_launcher", "-f"]
#: Arguments that change nothing for a forked kernel.
_SAME: Final = frozenset({"--HistoryManager.hist_file=:memory:", "-Xfrozen_modules=off"})


class ColdError(Exception):
    """No warm kernel can be had; the text says why, for people."""


def why_impossible() -> str:
    """Say why kernels cannot be forked on this system; "" when they can."""
    if sys.platform != "linux":
        return f"Forking a Python process is not safe on {sys.platform}."
    if sys.implementation.name != "cpython" or not hasattr(os, "pidfd_open"):
        return "This Python cannot watch forked processes."
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return "This system's kernel is older than Linux 5.3."
    return ""


def why_other(command: Sequence[str]) -> str:
    """Say why a kernel's command starts something else than a forked kernel is; "" if it is one.

    Args:
        command: What would start the kernel, with the path of its connection file.
    """
    rest = [word for word in command[1:] if word not in _SAME]
    if not command or not _is_this_python(command[0]):
        return "The kernel runs on another interpreter than this program."
    if rest[: len(_LAUNCH)] != _LAUNCH or len(rest) != len(_LAUNCH) + 1:
        return "The kernel is started with a command of its own."
    return ""


def why_default_is_other() -> str:
    """Say why the default kernel cannot be a forked one; "" if it can, or if it is missing."""
    installed = InstalledKernels()
    if DEFAULT_KERNEL not in installed.names or installed.is_own(DEFAULT_KERNEL):
        return ""
    return f"The kernel {DEFAULT_KERNEL} runs on another interpreter than this program."


def _is_this_python(word: str) -> bool:
    """Compare paths as they are: links to one interpreter may mean several environments."""
    return Path(word).absolute() == Path(sys.executable).absolute()


def find_server() -> str:
    """Return the path of a fork server's socket: this crew's, else the workspace's; "" if none."""
    path = os.environ.get(fork_wire.SOCKET)
    if path is None:
        try:
            path = (state_dir(find_workspace()) / ADDRESS).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, LabError):
            path = ""
    return path


def ask_state(path: str) -> dict[str, Any]:
    """Ask a fork server how it is.

    Raises:
        ColdError: It gives no answer, or refuses one.
    """
    with fork_wire.new_socket() as line:
        line.settimeout(_PATIENCE)
        try:
            line.connect(path)
            fork_wire.send(line, {"ask": "state"})
            answer, _ = fork_wire.receive(line)
        except (OSError, fork_wire.WireError) as error:
            raise ColdError("The fork server gives no answer.") from error
    if "refused" in answer:
        _fail(str(answer["refused"]))
    return answer


@dataclass(frozen=True, slots=True)
class Order:
    """What a taken kernel is to take on."""

    #: Its working directory.
    folder: str
    #: Its whole environment.
    environment: Mapping[str, str]
    #: What it may use, as `resource_limits` has it.
    limits: Mapping[str, int]


async def take(
    path: str, order: Order, outputs: Sequence[int]
) -> tuple[WarmKernel, dict[str, Any]]:
    """Take a kernel, which ends with this process.

    Args:
        path: The server's socket.
        order: What the kernel is to take on.
        outputs: Descriptors of its standard output and error.

    Returns:
        The kernel and its connection information.

    Raises:
        ColdError: None can be had.
    """
    line = fork_wire.new_socket()
    line.setblocking(False)
    theirs, lifeline = os.pipe()
    try:
        async with asyncio.timeout(_PATIENCE):
            await asyncio.get_running_loop().sock_connect(line, path)
            if not fork_wire.is_own(line):
                _fail("The fork server belongs to another user.")
            fork_wire.send(line, asdict(order), [*outputs, theirs])
            await _readable(line)
        answer, _ = fork_wire.receive(line)
        if "pid" not in answer:
            _fail(str(answer.get("refused", "The kernel ended while it was being taken.")))
        return WarmKernel(line, lifeline, int(answer["pid"])), answer["connection"]
    except BaseException as error:
        line.close()  # the server ends what it may have handed out
        os.close(lifeline)
        if isinstance(error, (OSError, fork_wire.WireError)):
            raise ColdError("The fork server gives no answer.") from error
        raise
    finally:
        os.close(theirs)


def _fail(what: str) -> NoReturn:
    raise ColdError(what)


async def _readable(source: socket.socket | int) -> None:
    loop = asyncio.get_running_loop()
    arrived = loop.create_future()
    loop.add_reader(source, lambda: arrived.done() or arrived.set_result(None))
    try:
        await arrived
    finally:
        loop.remove_reader(source)


class WarmKernel:
    """A taken kernel's process, with the face of `subprocess.Popen`.

    Args:
        line: The connection to its server, which buries the kernel when it closes.
        lifeline: A pipe whose closing ends the kernel and its process group.
        pid: The process.
    """

    stdin = stdout = stderr = None

    def __init__(self, line: socket.socket, lifeline: int, pid: int) -> None:
        self.pid = pid
        self._lifeline = lifeline
        self.returncode: int | None = None
        self._line = line
        try:
            self._pidfd = os.pidfd_open(pid)
        except OSError:
            self._pidfd = -1  # it has ended already
        self._server_lives = True

    def remove_after(self, folder: str) -> None:
        """Have its server remove a folder when it buries the kernel, even if this process dies."""
        with suppress(fork_wire.WireError):  # a server that is gone removes nothing
            fork_wire.send(self._line, {"leftover": folder})

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        if self.returncode is None and self._server_lives:
            self._hear()
        if self.returncode is None and not self._server_lives and self._has_ended(0):
            self.returncode = STATUS_UNKNOWN
        return self.returncode

    def _hear(self) -> None:
        """Look at the last message of the server, which stays: several may be waiting for it."""
        readable, _, _ = select.select([self._line], [], [], 0)
        if readable:
            try:
                self.returncode = int(fork_wire.peek(self._line)["status"])
            except (fork_wire.WireError, KeyError):
                self._server_lives = False

    def _has_ended(self, timeout: float | None) -> bool:
        if self._pidfd < 0:
            return True
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1_000))

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        if self.returncode is None:
            if not self._has_ended(timeout):
                assert timeout is not None
                raise subprocess.TimeoutExpired("kernel", timeout)
            select.select([self._line], [], [], _PATIENCE)
        return self._final_status()

    async def ended(self) -> int:
        """Wait for the end and return the exit status."""
        if self.returncode is None:
            if self._pidfd >= 0:
                await _readable(self._pidfd)
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await _readable(self._line)
        return self._final_status()

    def _final_status(self) -> int:
        """Return how the process ended; a server that has not said it until now is given up."""
        status = self.poll()
        if status is None:
            status = self.returncode = STATUS_UNKNOWN
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal to the process itself."""
        if self.poll() is None and self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of it: whatever is left in its process group ends."""
        if self._lifeline < 0:
            return
        self._line.close()
        os.close(self._lifeline)
        self._lifeline = -1
        if self._pidfd >= 0:
            os.close(self._pidfd)
