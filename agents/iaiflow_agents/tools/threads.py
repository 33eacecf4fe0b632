"""A blocking function beside the event loop, in a thread of its own that can be told to stop.

The loop's pool has few threads, and one that is stuck would keep other calls from starting.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class _Stopped(BaseException):
    """The call was given up; no `except Exception` of the function goes on from here."""


async def in_thread(function: Callable[[], T]) -> T:
    """Call a blocking function in a thread of its own.

    When this is cancelled, the thread is told to stop at its next bytecode; what it does in a call
    of C goes on to its end, and nobody waits for it.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(_run, function, done), name="tool", daemon=True
    )
    thread.start()
    try:
        return await asyncio.wrap_future(done)
    except asyncio.CancelledError:
        _stop(thread)
        raise


def _run(function: Callable[[], T], done: Future[T]) -> None:
    with suppress(_Stopped):
        try:
            result = function()
        except StopIteration as error:  # a future takes none
            done.set_exception(RuntimeError(f"StopIteration: {error}"))
        except _Stopped:
            return
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(result)


def _stop(thread: threading.Thread) -> None:
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped)
        )
