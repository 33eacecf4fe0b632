"""The lock of a database file: whoever holds it owns the file, and says where it listens."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from iaiflow_memory.errors import Unavailable
from iaiflow_memory.place import network_filesystem

#: How often the lock is tried, and how long in between, in seconds.
_TRIES: Final = 20
_PAUSE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Announced:
    """What the owner of a database file says of itself."""

    #: Its process; 0: it has said nothing yet.
    pid: int = 0
    #: Name of its machine.
    host: str = ""
    #: Where it listens; "" for nowhere, or not yet.
    socket: str = ""


def lock_path(database: Path) -> Path:
    """Return the lock of a database file; it stays when nobody holds it."""
    return database.with_name(f"{database.name}.owner")


def identity(descriptor: int) -> str:
    """Return what tells a lock from a copy of it, and from one of the same name before it."""
    found = os.fstat(descriptor)
    return f"{found.st_dev}:{found.st_ino}"


class OwnerLock:
    """The lock, held by this process.

    Args:
        path: The lock's file.
        descriptor: It, open and locked.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.identity = identity(descriptor)
        self._descriptor = descriptor
        self._write(Announced(os.getpid(), socket.gethostname()))
        _held.add(self)

    def announce(self, where: Path) -> None:
        """Say where this process listens."""
        self._write(Announced(os.getpid(), socket.gethostname(), str(where)))

    def is_in_place(self) -> bool:
        """Say whether the lock is still the one that others find: its folder may be gone."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return f"{found.st_dev}:{found.st_ino}" == self.identity

    def release(self) -> None:
        """Let others own the database file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            _held.discard(self)

    def _write(self, announced: Announced) -> None:
        data = json.dumps(asdict(announced)).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, data, 0)


_held: weakref.WeakSet[OwnerLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    for lock in list(_held):  # a child that kept it open would keep the lock after its parent
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)


def take(database: Path) -> OwnerLock | None:
    """Take the lock of a database file; None when another process has it.

    Raises:
        Unavailable: The folder cannot be written, or is on a network file system.
    """
    path = lock_path(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"The memory can't be opened here: {error.strerror}.",
            where=str(path),
            remedy="Choose a folder that you can write",
        ) from error
    if kind := network_filesystem(path.parent):
        os.close(descriptor)
        raise Unavailable(
            f"A memory needs a local disk, and this folder is on a network file system ({kind}).",
            where=str(path.parent),
            remedy="Put it on a local disk, or reach its machine by an https address",
        )
    if not _locked(descriptor):
        os.close(descriptor)
        return None
    return OwnerLock(path, descriptor)


def _locked(descriptor: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)  # whoever looks whether it is held holds it for a moment
        else:
            return True
    return False


def announced(database: Path) -> tuple[Announced, str]:
    """Return what the last owner of a database file said, and its lock's identity.

    It may have died since; a copied folder holds what the owner of the original said.

    Raises:
        Unavailable: The lock cannot be read.
    """
    with _opened(database) as descriptor:
        if descriptor is None:
            return Announced(), ""
        return _read(os.pread(descriptor, 4_096, 0)), identity(descriptor)


def is_owned(database: Path) -> bool:
    """Say whether a process owns a database file now.

    Raises:
        Unavailable: The lock cannot be read.
    """
    with _opened(database) as descriptor:
        if descriptor is None:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def _opened(database: Path) -> Generator[int | None]:
    try:
        descriptor = os.open(lock_path(database), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise Unavailable(
            f"The memory can't be opened: {error.strerror}.", where=str(lock_path(database))
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read(data: bytes) -> Announced:
    try:
        said: Any = json.loads(data)
        return Announced(int(said["pid"]), str(said["host"]), str(said["socket"]))
    except (ValueError, TypeError, KeyError):
        return Announced()  # it is being written
