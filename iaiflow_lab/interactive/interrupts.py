"""Interrupts that come while a run is being started: it must not be left with nobody to end it."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class HeldBack:
    """Holds back the first interrupt of the main thread; a second one comes through at once.

    Leaving the context forgets it; `release` raises it. In other threads there are none.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
        if self._before is not None:
            signal.signal(signal.SIGINT, self._hold)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def release(self) -> None:
        """Hold back nothing any more.

        Raises:
            KeyboardInterrupt: One was held back.
        """
        self._restore()
        was_asked, self._is_asked = self._is_asked, False
        if was_asked:
            raise KeyboardInterrupt

    def _hold(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True

    def _restore(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            signal.signal(signal.SIGINT, before)
