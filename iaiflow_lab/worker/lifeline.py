"""A pipe from the supervisor to its worker: it carries the worker's name, and closes with it."""

from __future__ import annotations

import os
import shutil
import signal
from threading import Thread

from iaiflow_lab.engine.processes import SCRATCH
from iaiflow_lab.notebook.sockets import SOCKETS


def receive_name(lifeline: int) -> str:
    """Return the owner's name that the supervisor sends first; "" when it died before."""
    os.set_inheritable(lifeline, False)
    received = bytearray()
    while (byte := os.read(lifeline, 1)) not in (b"", b"\n"):
        received += byte
    return received.decode()


def end_with_supervisor(lifeline: int) -> None:
    """End this process and its process group as soon as the supervisor has died.

    Kernels watch this process themselves and follow within a second.
    """
    Thread(target=_watch, args=(lifeline,), name="lifeline", daemon=True).start()


def _watch(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    for name in (SOCKETS, SCRATCH):
        if folder := os.environ.get(name):
            shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)
