"""Counts the CPU time of one coroutine among many on the same loop."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from time import thread_time
from typing import Any

from iaiflow_lab.errors import NodeError

#: What leaves a node as it is; anything else means to end more than the node.
PASSING = (Exception, asyncio.CancelledError, GeneratorExit)


def left(error: BaseException) -> NodeError:
    """Return the failure of a node that tried to end the whole process."""
    return NodeError(f"The node raised {type(error).__name__}({error}).", code="node-exit")


class Meter:
    """CPU seconds so far."""

    __slots__ = ("cpu",)

    def __init__(self) -> None:
        self.cpu = 0.0


@types.coroutine
def metered(coroutine: Coroutine[Any, Any, Any], meter: Meter) -> Generator[Any, Any, Any]:
    """Await `coroutine`, adding the time spent inside it to `meter`."""
    advance: Callable[[Any], Any] = coroutine.send
    argument: Any = None
    while True:
        started = thread_time()
        try:
            yielded = advance(argument)
        except StopIteration as stop:
            return stop.value
        except PASSING:
            raise
        except BaseException as error:
            raise left(error) from error
        finally:
            meter.cpu += thread_time() - started
        try:
            argument = yield yielded
            advance = coroutine.send
        except BaseException as error:
            advance, argument = coroutine.throw, error
