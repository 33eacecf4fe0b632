"""Where a server listens, and the one lock that a workspace has for servers."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from time import sleep
from typing import Final

from iaiflow_lab.errors import ConflictError, InputError, StoreError

#: In the state folder: held by the process that serves the workspace; says where.
LOCK: Final = "serve.lock"
#: In the state folder, for its owner only: the secret of a server that wants one.
KEY_FILE: Final = "serve.key"
#: How the address of a Unix socket begins.
UNIX: Final = "unix:"
#: Longest path that every system takes for a socket, in bytes.
_LONGEST: Final = 100
#: Pause for somebody who looks whether the workspace is served, in seconds.
_LOOK: Final = 0.005
#: How many such pauses are made before it is told that somebody keeps looking: ten seconds.
_LOOKS: Final = 2_000
#: Connections that wait to be accepted.
_BACKLOG: Final = 128


@contextmanager
def sole_server(state: Path) -> Generator[Callable[[str], None]]:
    """Be the only server of a workspace; what is yielded takes where it listens.

    Args:
        state: The workspace's state folder.

    Raises:
        ConflictError: Another process serves it.
        StoreError: The lock cannot be written, or a process that does not serve keeps it.
    """
    try:
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"The server's lock cannot be written: {error.strerror}.", where=str(state / LOCK)
        ) from error
    try:
        _take(descriptor, state / LOCK)
        _write(descriptor, "")
        yield partial(_write, descriptor)
    finally:
        os.close(descriptor)  # frees the lock; the file stays, so that nobody locks another one


def _write(descriptor: int, address: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()} {address}\n".encode(), 0)


def _take(descriptor: int, lock: Path) -> None:
    for _ in range(_LOOKS):
        if _locked(descriptor, fcntl.LOCK_EX):
            return
        if not _locked(descriptor, fcntl.LOCK_SH):
            raise _served(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # nobody serves: somebody looked whether one does
        sleep(_LOOK)
    raise StoreError(
        "The server's lock is held by a process that does not serve.",
        where=str(lock),
        remedy="Find it, for example by `fuser`, and end it",
    )


def _served(descriptor: int) -> ConflictError:
    pid, _, address = os.pread(descriptor, 4_096, 0).decode().strip().partition(" ")
    return ConflictError(
        f"Process {pid} serves this workspace already{f', at {address}' if address else ''}.",
        remedy="Use that one, or end it first",
        code="already-served",
    )


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def served_at(state: Path) -> str:
    """Return where a process serves the workspace; "" when none does."""
    try:
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return ""
        return os.pread(descriptor, 4_096, 0).decode().strip().partition(" ")[2]
    finally:
        os.close(descriptor)


@contextmanager
def listening(path: Path | None, port: int | None) -> Generator[socket.socket]:
    """Listen on a Unix socket or a port; neither given: on a socket in a folder of its own.

    Raises:
        InputError: Nothing can listen there.
    """
    with ExitStack() as stack:
        if port is not None:
            yield stack.enter_context(listen_on_port(port))
            return
        if path is None:
            folder = tempfile.mkdtemp(prefix="iaiflow-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            path = Path(folder, "server")
        path = path.absolute()
        made = stack.enter_context(listen_on_path(path))
        stack.callback(path.unlink, missing_ok=True)
        yield made


def listen_on_path(path: Path) -> socket.socket:
    """Return a Unix socket that only this user can open.

    Args:
        path: Where it is; a socket that is there already was left by a server that was killed.

    Raises:
        InputError: Nothing can listen there.
    """
    if len(os.fsencode(path)) > _LONGEST:
        raise InputError(f"The path of a socket has {_LONGEST} bytes at most.", where=str(path))
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_socket():
            path.unlink()
        made.bind(str(path))
    except OSError as error:
        made.close()
        raise InputError(f"Nothing can listen here: {error.strerror}.", where=str(path)) from error
    finally:
        os.umask(before)
    made.listen(_BACKLOG)
    return made


def listen_on_port(port: int) -> socket.socket:
    """Return a socket on the loopback interface; port 0: any that is free.

    Raises:
        InputError: The port is in use, or not for this user.
    """
    # asyncio sends an answer at once only where the protocol is named
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError as error:
        made.close()
        raise InputError(
            f"Nothing can listen on port {port}: {error.strerror}.",
            remedy="Choose another one, or 0 for any that is free",
        ) from error
    made.listen(_BACKLOG)
    return made


def address_of(listener: socket.socket) -> str:
    """Return the address of a listening socket: `unix:PATH`, or a URL."""
    name = listener.getsockname()
    return f"{UNIX}{name}" if isinstance(name, str) else f"http://{name[0]}:{name[1]}"
