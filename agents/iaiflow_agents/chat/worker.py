"""Does things one after another, in a thread that ends when there is nothing left to do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Worker:
    """A line of things to do; the page that asked for them may be gone without a word.

    Args:
        name: What its thread is called.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], object]] = deque()
        self._is_working = False

    def submit(self, work: Callable[[], object]) -> None:
        """Do something after all that was asked for before; it tells by itself what goes wrong.

        Raises:
            RuntimeError: There is no thread left for it; it is not done.
        """
        with self._lock:
            if not self._is_working:
                threading.Thread(target=self._work, name=self._name).start()
                self._is_working = True
            self._waiting.append(work)

    def close(self) -> None:
        """Leave what was not begun."""
        with self._lock:
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_working = False
                    return
                work = self._waiting.popleft()
            with suppress(BaseException):  # what follows is done, whatever ends this
                work()
