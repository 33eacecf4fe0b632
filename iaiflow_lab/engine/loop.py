"""The engine's own event loop: one daemon thread per process, started when first needed."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

#: Threads for what async nodes and the engine itself do beside the loop.
_HELPERS: Final = 64

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def engine_loop() -> asyncio.AbstractEventLoop:
    """Return this process's engine loop, running in its own thread.

    A thread does not survive a fork, so a forked child gets a loop of its own.
    """
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            loop.set_default_executor(ThreadPoolExecutor(_HELPERS, "iaiflow-helper"))
            threading.Thread(target=loop.run_forever, name="iaiflow-engine", daemon=True).start()
            _loops.clear()
            _loops[os.getpid()] = loop
        return loop


def give_up_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Let later executions have a new loop, because something blocks this one."""
    with _lock:
        if _loops.get(os.getpid()) is loop:
            del _loops[os.getpid()]
