"""`python -m iaiflow_memory.serve FILE`: a small process that owns a memory's file.

It runs nobody's code, leaves the process that started it, and ends by itself when no client has
been there for a while. What it says on standard output is one message: a welcome when it serves
the file, nothing when another process does, or why it cannot.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from iaiflow_memory.desk import Desk
from iaiflow_memory.errors import MemoryFault, Unavailable
from iaiflow_memory.lock import OwnerLock, take
from iaiflow_memory.owner import Owner
from iaiflow_memory.protocol import Refusal, Welcome, encode

#: How long an owner stays when nobody is there, in seconds.
IDLE: Final = 30.0


def own(database: Path, *, idle: float = float("inf")) -> Owner | None:
    """Open a memory and serve it; None when another process does.

    Args:
        database: The file.
        idle: How long to stay when nobody is there, in seconds.

    Raises:
        MemoryFault: The file cannot be opened.
    """
    lock = take(database)
    if lock is None:
        return None
    try:
        return _opened(database, lock, idle)
    except BaseException:
        lock.release()
        raise


def _opened(database: Path, lock: OwnerLock, idle: float) -> Owner:
    from iaiflow_memory.engine import Engine

    desk = Desk(Engine(database))
    try:
        return Owner(desk, lock, idle=idle)
    except BaseException:
        desk.close()
        raise


def main(arguments: Sequence[str] | None = None) -> None:
    """Own a file in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m iaiflow_memory.serve", description=__doc__)
    parser.add_argument("file", type=Path, help="the DuckDB file; made when it is missing")
    parser.add_argument("--idle", type=float, default=IDLE, metavar="SECONDS")
    given = parser.parse_args(arguments)
    database = given.file.absolute()
    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        with os.fdopen(ours, "rb") as said:
            sys.stdout.buffer.write(said.read())
        return
    os.close(ours)
    _detach()
    _serve(database, given.idle, theirs)


def _detach() -> None:
    os.setsid()
    os.chdir("/")
    os.umask(0o077)  # what agents remember is for nobody else
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _serve(database: Path, idle: float, report: int) -> None:
    with os.fdopen(report, "wb") as starter:
        owner = _report(database, idle, starter.write)
    if owner is None:
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        owner.stop()

    signal.signal(signal.SIGTERM, stop)
    try:
        owner.run()
    finally:
        owner.close()


def _report(database: Path, idle: float, say: Callable[[bytes], object]) -> Owner | None:
    try:
        owner = own(database, idle=idle)
    except MemoryFault as fault:
        say(encode(Refusal.of(fault)))
        return None
    except Exception as error:
        say(encode(Refusal(Unavailable.code, f"The memory can't be opened: {error}")))
        return None
    if owner is not None:
        say(encode(Welcome(os.getpid())))
    return owner


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
