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

#: Turns of a loop in which a pending exception is certainly raised.
_DELIVERY = 1_000

_lock = threading.Lock()
#: By process and depth: a thread does not survive a fork.
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


class StopStep(BaseException):
    """Raised inside a node's thread when its run is cancelled or its time is up."""


def pool(depth: int) -> ThreadPoolExecutor:
    """Return this process's pool for sync nodes.

    Args:
        depth: How many nodes above wait for the call in threads of their own. Each depth has a
            pool of its own: threads only ever wait for deeper ones, so that all get on.
    """
    with _lock:
        key = (os.getpid(), depth)
        if key not in _pools:
            _pools[key] = ThreadPoolExecutor(THREADS, thread_name_prefix=f"iaiflow-node-{depth}")
        return _pools[key]


class ThreadCall:
    """One call in a pool thread that can be asked to stop."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._guard = threading.Lock()
        self._submitted: Future[Any] = Future()
        self._thread: int | None = None
        self._stopped = False
        #: Whether a thread has begun it.
        self.begun = False
        #: How many nodes above wait for it in threads of their own.
        self.depth = 0
        #: CPU time of the call, in seconds.
        self.cpu = 0.0

    def start(self, loop: asyncio.AbstractEventLoop, depth: int) -> asyncio.Future[Any]:
        """Run the call in a thread of the pool for `depth`, in a copy of the current context."""
        self.depth = depth
        self._submitted = pool(depth).submit(contextvars.copy_context().run, self._run)
        return asyncio.wrap_future(self._submitted, loop=loop)

    def withdraw(self) -> bool:
        """Take the call back before a thread has begun it; False when it is too late."""
        return self._submitted.cancel()

    def _run(self) -> Any:
        self.begun = True
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
            self._leave()

    def _leave(self) -> None:
        """Refuse further stops and swallow one that comes too late: it must not hit the next call.

        Taking it back with `PyThreadState_SetAsyncExc(thread, NULL)` would not do: in CPython 3.11
        that leaves the interpreter looking for exceptions at every instruction for good.
        """
        while True:
            try:
                with self._guard:
                    self._thread = None
                for _ in range(_DELIVERY if self._stopped else 0):
                    pass  # a pending exception is raised at a backward jump
            except StopStep:
                continue
            return

    def stop(self) -> None:
        """Raise `StopStep` in the thread at its next Python instruction.

        A thread that is inside a C call gets it when the call returns.
        """
        with self._guard:
            self._stopped = True
            if self._thread is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread), ctypes.py_object(StopStep)
                )
