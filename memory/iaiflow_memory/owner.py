"""The one process that has a database file open, and serves it to all others of its user."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import socket
import struct
import time
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from iaiflow_memory.desk import Desk, answer, check_version
from iaiflow_memory.errors import BadInput, Busy, MemoryFault, Unavailable
from iaiflow_memory.lock import OwnerLock
from iaiflow_memory.place import socket_path
from iaiflow_memory.protocol import (
    LARGEST,
    Closed,
    Hello,
    Refusal,
    TooLarge,
    Welcome,
    decode,
    encode,
    receive,
    send,
)

#: Most connections at once.
_MOST: Final = 512
#: How long a client may take to say who it is, in seconds.
_GREETING: Final = 10.0
#: Largest greeting, in bytes.
_GREETING_BYTES: Final = 4_096
#: How often the owner looks whether it is still wanted, in seconds.
_LOOK: Final = 1.0
#: How long what is being done may take when the owner ends, in seconds.
_LAST: Final = 60.0
#: Process, user and group of the other side, as the system gives them.
_CREDENTIALS: Final = struct.Struct("iII")


def token_path(where: Path) -> Path:
    """Return the file with what a client of the socket `where` has to say."""
    return where.with_suffix(".token")


def is_same_user(line: socket.socket) -> bool:
    """Say whether the other side is a process of this user, where the system tells."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # the folder is private and the token is secret anyway
    _, user, _ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return user == os.geteuid()


class Owner:
    """Serves an open memory on a socket of this user, a thread for each client.

    Args:
        desk: Does what is asked.
        lock: The lock of the file, held.
        idle: How long to stay when nobody is there, in seconds.

    Raises:
        Unavailable: Nothing can listen in this user's folder for sockets.
    """

    def __init__(self, desk: Desk, lock: OwnerLock, *, idle: float = float("inf")) -> None:
        #: Does what is asked.
        self.desk = desk
        self._lock = lock
        self._idle = idle
        self._token = secrets.token_urlsafe(32)
        self._guard = Lock()
        self._lines: dict[socket.socket, Thread] = {}
        self._last_seen = time.monotonic()
        self._is_ending = False
        self._pid = os.getpid()
        self._where = socket_path(lock.path)
        self._listener = self._listen()
        lock.announce(self._where)

    def run(self) -> None:
        """Serve until it is stopped, nobody has been there for a while, or the file is gone."""
        while self._is_wanted():
            try:
                line, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:  # no more connections can be opened
                time.sleep(_LOOK / 20)
                continue
            if self._is_ending:
                line.close()
            else:
                self._admit(line)

    def stop(self) -> None:
        """Let `run` end soon, in the process where it runs."""
        if self._pid != os.getpid():
            return
        self._is_ending = True
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
            knock.setblocking(False)
            knock.connect(str(self._where))

    def close(self) -> None:
        """End: what is being done is answered, then file and lock are free.

        A forked child has nothing to end: all of it is its parent's.
        """
        if self._pid != os.getpid():
            return
        self.stop()
        self._listener.close()
        for path in (self._where, token_path(self._where)):
            path.unlink(missing_ok=True)
        with self._guard:
            lines = dict(self._lines)
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RD)
        deadline = time.monotonic() + _LAST
        for thread in lines.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        try:
            self.desk.close()
        finally:
            self._lock.release()

    def _listen(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._write_token()
            self._where.unlink(missing_ok=True)  # left by an owner that was killed
            made.bind(str(self._where))
            self._where.chmod(0o600)
            made.listen(_MOST)
        except OSError as error:
            made.close()
            raise Unavailable(
                f"The memory's owner can't listen: {error.strerror}", where=str(self._where)
            ) from error
        made.settimeout(min(_LOOK, max(0.01, self._idle / 2)))
        return made

    def _write_token(self) -> None:
        path = token_path(self._where)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self._token)

    def _is_wanted(self) -> bool:
        with self._guard:
            if self._lines:
                self._last_seen = time.monotonic()
        is_idle = time.monotonic() - self._last_seen >= self._idle
        return not (self._is_ending or is_idle) and self._lock.is_in_place()

    def _admit(self, line: socket.socket) -> None:
        thread = Thread(target=self._attend, args=(line,), name="memory-client", daemon=True)
        with self._guard:
            is_welcome = len(self._lines) < _MOST
            if is_welcome:
                self._lines[line] = thread
        if is_welcome:
            try:
                thread.start()
            except RuntimeError:  # no more threads can be made: those that are there go on
                with self._guard:
                    del self._lines[line]
            else:
                return
        what = "The memory's owner has no room for another client"
        with line, contextlib.suppress(OSError):
            send(line, encode(Refusal(Busy.code, what, remedy="Try again, or close other ones")))

    def _attend(self, line: socket.socket) -> None:
        try:
            with line, contextlib.suppress(OSError):
                if self._greet(line):
                    self._converse(line)
        finally:
            with self._guard:
                del self._lines[line]

    def _greet(self, line: socket.socket) -> bool:
        line.settimeout(_GREETING)
        try:
            refusal = self._refusal(decode(receive(line, _GREETING_BYTES)), line)
        except (MemoryFault, TooLarge):
            refusal = Refusal(BadInput.code, "This is no greeting of a memory's client")
        send(line, encode(refusal or Welcome(os.getpid())))
        line.settimeout(None)
        return refusal is None

    def _refusal(self, said: object, line: socket.socket) -> Refusal | None:
        if not isinstance(said, Hello) or not is_same_user(line):
            return Refusal(Unavailable.code, "This memory is of another user")
        if not hmac.compare_digest(said.token.encode(), self._token.encode()):
            return Refusal(Unavailable.code, "The memory's token is wrong", is_elsewhere=True)
        if said.place != self._lock.identity:
            return Refusal(Unavailable.code, "This is another memory", is_elsewhere=True)
        try:
            check_version(said.version)
        except Unavailable as fault:
            return Refusal.of(fault)
        return None

    def _converse(self, line: socket.socket) -> None:
        while True:
            try:
                asked = receive(line)
            except Closed:
                return
            except TooLarge:
                what = f"A message may have {LARGEST:,} bytes"
                send(line, encode(Refusal(BadInput.code, what, remedy="Send less at once")))
                return
            send(line, answer(self.desk, asked))
