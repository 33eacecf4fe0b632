"""How a worker process is asked to end: after its run, or at once."""

from __future__ import annotations

import signal
from typing import Any


class Stop:
    """Counts requests to end: the first lets the run finish, the second gives it back."""

    def __init__(self) -> None:
        self._requests = 0

    def ask(self, *_: Any) -> None:
        """Ask once more; also serves as a signal handler."""
        self._requests += 1

    @property
    def soon(self) -> bool:
        """Whether no further run may be claimed."""
        return self._requests >= 1

    @property
    def now(self) -> bool:
        """Whether the run being executed must be given back."""
        return self._requests >= 2


def listen(stop: Stop) -> None:
    """Let SIGTERM ask this process to end; its supervisor answers the terminal's Ctrl-C."""
    signal.signal(signal.SIGTERM, stop.ask)
    signal.signal(signal.SIGINT, _disregard)


def _disregard(*_: Any) -> None:
    """Do nothing; a signal that is ignored by the system would be so in kernels, too."""
