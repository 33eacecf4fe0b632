"""Calls into other people's code that must not keep the canvas waiting."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLongError(Exception):
    """A call took longer than it may."""


def timed(function: Callable[[], T], seconds: float) -> T:
    """Call `function` in a thread of its own and return what it returns.

    Args:
        function: Takes nothing.
        seconds: The longest wait. What goes on after it is asked to stop.

    Raises:
        TooLongError: It went on after that time.
        Exception: Whatever the function raises; an exit that it asks for as a `RuntimeError`.
    """
    found: list[T] = []
    raised: list[BaseException] = []

    def call() -> None:
        try:
            found.append(function())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call, name="iaiflow-look", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _ask_to_stop(thread)
        raise TooLongError(f"It took more than {seconds:g} s.")
    if raised:
        error = raised[0]
        raise error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
    return found[0]


def _ask_to_stop(thread: threading.Thread) -> None:
    """Raise an exception at the next line of Python in the thread."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(TooLongError)
        )
