"""Who holds a run: one process, named so that its death can be checked."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from iaiflow_lab.ids import Ids

Kind = Literal["worker", "kernel", "server"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The parts of an owner's name: `kind:host:pid:process start time:random`."""

    #: `worker` (its supervisor beats for it), `kernel` or `server` (live as long as a process).
    kind: str
    host: str
    pid: int
    #: When the process started, in the system's own unit; tells apart two uses of one pid.
    started: str


def owner_name(kind: Kind, ids: Ids, pid: int | None = None) -> str:
    """Return a fresh name for an owner.

    Args:
        kind: `worker`, `kernel` or `server`.
        ids: Makes the name unique within the process.
        pid: The owner's process; None: this one.
    """
    process = os.getpid() if pid is None else pid
    host = socket.gethostname().replace(":", "_")
    return f"{kind}:{host}:{process}:{process_start(process)}:{ids.new('o')}"


def parse_owner(name: str) -> Owner | None:
    """Read an owner's name; None when it is not made by `owner_name`."""
    parts = name.split(":")
    if len(parts) != 5 or not parts[2].isdigit():
        return None
    return Owner(kind=parts[0], host=parts[1], pid=int(parts[2]), started=parts[3])


def process_start(pid: int) -> str:
    """Return when a process of this machine started; "" when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _process_start_elsewhere(pid)
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]  # a zombie is dead, whoever has not buried it


def _process_start_elsewhere(pid: int) -> str:
    if Path("/proc/self/stat").exists():
        return ""
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""


def is_dead(name: str) -> bool:
    """Say whether the owner's process has certainly ended; False for another machine's owner."""
    owner = parse_owner(name)
    if owner is None or owner.host != socket.gethostname().replace(":", "_"):
        return False
    return process_start(owner.pid) != owner.started


def boot_id() -> str:
    """Return what changes with every start of this machine; monotonic times compare within it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))
