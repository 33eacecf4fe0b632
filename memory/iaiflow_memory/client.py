"""A client of the process that owns a memory's file. Where there is none, it starts one.

When the owner dies, what was asked is asked again of the next: the ids of what is written come from
the client, so nothing is written twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import msgspec

from iaiflow_memory.errors import BadInput, MemoryFault, Unavailable
from iaiflow_memory.lock import Announced, announced, is_owned
from iaiflow_memory.owner import is_same_user, token_path
from iaiflow_memory.place import check_private, runtime_folder
from iaiflow_memory.protocol import (
    LARGEST,
    VERSION,
    Call,
    Closed,
    Hello,
    Refusal,
    TooLarge,
    Welcome,
    decode,
    encode,
    receive,
    result_of,
    send,
)
from iaiflow_memory.spare import Spare
from iaiflow_memory.verbs import VERBS

#: How long an owner is looked for, in seconds.
PATIENCE: Final = 30.0
#: Environment variable: how long an owner stays when nobody is there, in seconds.
IDLE: Final = "IAIFLOW_MEMORY_IDLE"
#: How many owners may die over one call.
_LIVES: Final = 20
#: After how long without an answer it is asked whether the owner lives, in seconds.
_SILENCE: Final = 30.0
#: How long an owner may take to say that it lives, in seconds.
_GREETING: Final = 10.0
#: Pauses between two looks for an owner, in seconds.
_SHORTEST, _LONGEST = 0.005, 0.1
#: What an owner's process needs of the environment, by how the names begin.
_INHERITED: Final = (
    "PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "PYTHON", "VIRTUAL_ENV", "LD_", "DYLD_",
    "XDG_RUNTIME_DIR",
)  # fmt: skip


class _Elsewhere(Exception):  # noqa: N818  not shown to anybody
    """What answers here serves another file, or is gone."""


class Client:
    """Asks the owner of a file. Threads may share it; each asks on a connection of its own.

    Args:
        database: The file.
        patience: How long an owner is looked for, in seconds.
    """

    def __init__(self, database: Path, *, patience: float = PATIENCE) -> None:
        self._database = database
        self._patience = patience
        self._lines = Spare[socket.socket]()
        weakref.finalize(self, self._lines.close)

    def call(self, verb: str, arguments: Any) -> Any:
        """Return what comes of a verb.

        Args:
            verb: A name in `verbs.VERBS`.
            arguments: Of the type that stands there.

        Raises:
            MemoryFault: It is refused, or there is no owner and none can be started.
        """
        asked = encode(Call(verb, msgspec.Raw(encode(arguments))))
        if len(asked) > LARGEST:
            what = f"This has {len(asked):,} bytes, and a message may have {LARGEST:,}"
            raise BadInput(what, remedy="Send less at once")
        for _ in range(_LIVES):
            line = self._lines.take() or self._connect(time.monotonic() + self._patience)
            try:
                send(line, asked)
                said = self._listen(line)
            except OSError:  # its owner is gone: the next one is asked the same
                line.close()
                self._lines.close()
                continue
            except BaseException:
                line.close()
                raise
            self._lines.put(line)
            return result_of(said, VERBS[verb].result)
        raise Unavailable(
            f"The memory's owner died {_LIVES} times while it was asked for this",
            where=str(self._database),
            remedy="Look whether there is enough memory, and whether something ends it",
        )

    def close(self) -> None:
        """Leave the owner; it ends by itself when nobody is left."""
        self._lines.close()

    def _listen(self, line: socket.socket) -> bytearray:
        while True:
            line.settimeout(_SILENCE)
            try:
                line.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                self._check_alive()
                continue
            try:
                return receive(line)
            except TooLarge:
                raise BadInput("The answer is too large", remedy="Ask for less at once") from None

    def _check_alive(self) -> None:
        try:
            self._greeted(*announced(self._database)).close()
        except _Elsewhere:
            raise Closed("there is another owner") from None

    def _connect(self, deadline: float) -> socket.socket:
        pause = _SHORTEST
        while True:
            said, place = announced(self._database)
            try:
                return self._greeted(said, place)
            except (_Elsewhere, OSError) as error:
                if time.monotonic() > deadline:
                    raise self._gone(error) from error
            if not is_owned(self._database):
                self._start(deadline)
            else:
                self._check_near()
            time.sleep(pause)  # its owner may be just beginning or ending
            pause = min(_LONGEST, 2 * pause)

    def _greeted(self, said: Announced, place: str) -> socket.socket:
        if not said.socket:
            raise _Elsewhere
        where = Path(said.socket)
        try:
            check_private(where.parent)
        except Unavailable as fault:  # said long ago, or on another machine
            raise _Elsewhere(str(fault)) from None
        token = token_path(where).read_text(encoding="ascii", errors="replace")
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(_GREETING)
            line.connect(said.socket)
            self._greet(line, Hello(VERSION, token, place))
        except BaseException:
            line.close()
            raise
        return line

    def _greet(self, line: socket.socket, hello: Hello) -> None:
        if not is_same_user(line):
            raise Unavailable("The memory's socket is of another user", where=str(self._database))
        try:
            send(line, encode(hello))
            answer = decode(receive(line))
        except TimeoutError:
            raise Unavailable(
                "The process that owns the memory does not answer",
                where=str(self._database),
                remedy=f"End process {announced(self._database)[0].pid}, and try again",
            ) from None
        except (BadInput, TooLarge):
            raise _Elsewhere from None
        if isinstance(answer, Refusal):
            raise _Elsewhere if answer.is_elsewhere else self._told(answer)
        if not isinstance(answer, Welcome):
            raise _Elsewhere

    def _told(self, refusal: Refusal) -> MemoryFault:
        fault = refusal.fault()
        return type(fault)(
            fault.what, where=fault.where or str(self._database), remedy=fault.remedy
        )

    def _start(self, deadline: float) -> None:
        """Start an owner, unless somebody else does."""
        with _alone(self._database, deadline):
            if not is_owned(self._database):
                start_owner(self._database)

    def _gone(self, error: Exception) -> Unavailable:
        pid = announced(self._database)[0].pid
        why = f": {error}" if str(error) else ""
        return Unavailable(
            f"The memory's owner can't be reached for {self._patience:g} seconds{why}",
            where=str(self._database),
            remedy=f"End process {pid} if it is there, and try again" if pid else "Try again",
        )

    def _check_near(self) -> None:
        """Refuse an owner elsewhere. Asked when somebody owns the file: before, it says who did."""
        host = announced(self._database)[0].host
        if host not in {"", socket.gethostname()}:
            raise Unavailable(
                f"The memory is open on another machine or container, {host!r}",
                where=str(self._database),
                remedy="Reach it there by an https address, or end what uses it there",
            )


@contextlib.contextmanager
def _alone(database: Path, deadline: float) -> Generator[None]:
    """Be the only client that starts an owner: many at once would take each other's time."""
    name = hashlib.sha256(os.fsencode(database.resolve())).hexdigest()[:16]
    path = runtime_folder() / f"{name}.start"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if is_owned(database) or time.monotonic() > deadline:
                    break
                time.sleep(_SHORTEST * 2)
        yield
    finally:
        os.close(descriptor)


def start_owner(database: Path) -> None:
    """Start a process that owns a file; return when it serves it, or another process does.

    Raises:
        MemoryFault: It cannot.
    """
    idle = os.environ.get(IDLE)
    command = [sys.executable, "-P", "-m", "iaiflow_memory.serve", str(database.absolute())]
    if idle:
        command += ["--idle", idle]
    kept = {name: value for name, value in os.environ.items() if name.startswith(_INHERITED)}
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, env=kept, cwd="/", timeout=PATIENCE * 4
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(
            f"The memory's own process can't be started: {error}", where=str(database)
        ) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Unavailable(
            f"The memory's own process ended at once: {said[-1]}", where=str(database)
        )
    if done.stdout:
        message = decode(done.stdout)
        if isinstance(message, Refusal):
            raise message.fault()
