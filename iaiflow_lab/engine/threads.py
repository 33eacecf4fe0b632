"""Threads for sync nodes, and the one way to ask such a thread to stop."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import thread_time
from typing import Any

from iaiflow_lab.engine.metering import PASSING, left

#: Sync nodes that run at the same time.
THREADS = 64

_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


class StopStep(BaseException):
    """Raised inside a node's thread when its run is cancelled or its time is up."""


def pool() -> ThreadPoolExecutor:
    """Return this process's pool for sync nodes."""
    with _lock:
        found = _pools.get(os.getpid())
        if found is None:
            found = ThreadPoolExecutor(THREADS, thread_name_prefix="iaiflow-node")
            _pools.clear()
            _pools[os.getpid()] = found
        return found


class ThreadCall:
    """One call in a pool thread that can be asked to stop."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._guard = threading.Lock()
        self._submitted: Future[Any] = Future()
        self._thread: int | None = None
        self._stopped = False
        #: CPU time of the call, in seconds.
        self.cpu = 0.0

    def start(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
        """Run the call in a pool thread, in a copy of the current context."""
        self._submitted = pool().submit(contextvars.copy_context().run, self._run)
        return asyncio.wrap_future(self._submitted, loop=loop)

    def withdraw(self) -> bool:
        """Take the call back before a thread has begun it; False when it is too late."""
        return self._submitted.cancel()

    def _run(self) -> Any:
        with self._guard:
            if self._stopped:
                raise StopStep
            self._thread = threading.get_ident()
        started = thread_time()
        try:
            return self._function()
        except StopIteration as error:  # no future takes it
            raise RuntimeError("The node raised StopIteration.") from error
        except (*PASSING, StopStep):
            raise
        except BaseException as error:
            raise left(error) from error
        finally:
            self.cpu = thread_time() - started
            with self._guard:
                _raise_in_thread(self._thread, None)  # a late stop must not hit the next call
                self._thread = None

    def stop(self) -> None:
        """Raise `StopStep` in the thread at its next Python instruction.

        A thread that is inside a C call gets it when the call returns.
        """
        with self._guard:
            self._stopped = True
            if self._thread is not None:
                _raise_in_thread(self._thread, StopStep)


def _raise_in_thread(thread: int | None, error: type[BaseException] | None) -> None:
    """Make `thread` raise `error` at its next Python instruction; None takes it back."""
    wanted = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread or 0), wanted)
