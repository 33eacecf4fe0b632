"""What all pages of a workspace are told: the newest state of each thing, ten times a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from time import sleep
from typing import Any, Final, Protocol

#: Pause between two tellings of the same thing, in seconds.
PAUSE: Final = 0.1
#: Pages that are told, those that were heard last: one that is reloaded leaves its line behind.
MOST: Final = 20

#: Returns a message; None when there is nothing to tell.
Make = Callable[[], dict[str, Any] | None]


class Page(Protocol):
    """Somebody who looks."""

    def push(self, message: dict[str, Any]) -> None:
        """Take a message; any thread may call it."""
        ...


class News:
    """Tells pages what changed. What changes often is told as it is at the next moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: list[Page] = []
        self._waiting: dict[Hashable, Make] = {}
        self._last: dict[Hashable, Any] = {}
        self._is_telling = False

    def join(self, page: Page) -> None:
        """Tell a page what happens from now on; asked again, it is known to be there still."""
        with self._lock:
            others = [one for one in self._pages if one is not page]
            self._pages = [*others, page][-MOST:]

    def leave(self, page: Page) -> None:
        """Tell a page nothing more."""
        with self._lock:
            if page in self._pages:
                self._pages.remove(page)

    def tell(self, key: Hashable, make: Make) -> None:
        """Tell something soon, unless it is to be told already; any thread may call it.

        Args:
            key: What it is about.
            make: Makes the message, when it is sent.
        """
        with self._lock:
            self._waiting[key] = make
            if self._is_telling:
                return
            self._is_telling = True
        threading.Thread(target=self._work, name="agent-chat-news", daemon=True).start()

    def forget(self, key: Hashable) -> None:
        """Tell nothing of something."""
        with self._lock:
            self._waiting.pop(key, None)

    def is_new(self, key: Hashable, value: Any) -> bool:
        """Say whether something has another value than when this was asked last."""
        with self._lock:
            is_new = self._last.get(key, []) != value
            if value:
                self._last[key] = value
            else:
                self._last.pop(key, None)
            return is_new

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_telling = False
                    return
                makers, self._waiting = self._waiting, {}
                pages = list(self._pages)
            for make in makers.values():
                self._send(make, pages)
            sleep(PAUSE)

    def _send(self, make: Make, pages: list[Page]) -> None:
        message = None
        with suppress(Exception):  # the disk is full, say; what asks for it is told
            message = make()
        if message is not None:
            for page in pages:
                page.push(message)
