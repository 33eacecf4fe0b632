"""A worker and all processes that its run started, so that they can be ended together."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import psutil

#: Environment variable that a worker's descendants inherit: the owner's name.
OWNER: Final = "IAIFLOW_OWNER"


def signal_family(owner: str, leader: int, number: signal.Signals) -> None:
    """Send a signal to a worker, then to what it started, kernels in their own session too.

    The worker comes first: one that lives on would record the death of its kernel as a failure.

    Args:
        owner: The worker's name, as its descendants have it in their environment.
        leader: The worker's process id, which is its process group's too.
        number: The signal.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
    for process in _strays(owner, leader):
        with suppress(psutil.Error):
            process.send_signal(number)


def _strays(owner: str, leader: int) -> Iterator[psutil.Process]:
    """Yield the owner's descendants outside its process group."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(OWNER) == owner and os.getpgid(process.pid) != leader:
                yield process
