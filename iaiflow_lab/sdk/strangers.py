"""Whether strangers may have written what a step is given: what came before it in its run tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar, cast
from weakref import WeakSet

from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.origin import Origin

#: How a step tells in its output `trace` and in its records that it has read words of strangers.
TAINT: Final = "untrusted"
#: The record of what a step begins with.
BEGIN: Final = "strangers"
#: The records that tell of a step that goes on, or has failed.
_TELLING: Final = re.compile(f"(?s:{BEGIN}|(?:.*/)?tool:.+)")

#: What node types call that tell by themselves what they have read.
_TELLERS: Final[WeakSet[Callable[..., Any]]] = WeakSet()

Readers = Mapping[str, Callable[[], Any]]
F = TypeVar("F", bound=Callable[..., Any])


def tells(function: F) -> F:
    """Take that a node type's function tells in its trace and its records what it has read.

    It alone is believed when it says that it has read no words of strangers.
    """
    _TELLERS.add(function)
    return function


def is_teller(target: Callable[..., Any]) -> bool:
    """Say whether what a node type calls tells by itself what it has read."""
    return target in _TELLERS


def come_from_strangers(context: Context, origins: Iterable[Origin]) -> bool:
    """Say whether words of strangers may have come from one of these steps, or through it.

    Steps that tell by themselves are believed; of the others their node types tell, and what came
    before them.

    Args:
        context: The step that is given them.
        origins: Where they come from.
    """
    tellers = _records(context)
    waiting, seen = list(origins), set[str]()
    while waiting:
        origin = waiting.pop()
        if origin.step in seen:
            continue
        seen.add(origin.step)
        said = _said(origin, tellers.get(origin.step))
        if said or (said is None and origin.untrusted):
            return True
        if said is None:
            waiting += origin.before()
    return False


def _records(context: Context) -> Mapping[str, Readers]:
    """Return what steps of this run have recorded of what they read, by step and key."""
    found: dict[str, dict[str, Callable[[], Any]]] = {}
    for step, key, read in context.recorded(_TELLING):
        found.setdefault(step, {})[key] = read
    return found


def _said(origin: Origin, recorded: Readers | None) -> bool | None:
    """Return what a step says of itself; None when it says nothing, or is not believed."""
    told = _mark(lambda: origin.output("trace"))
    if told or origin.target is None or not is_teller(origin.target):
        return told or None
    if told is None and recorded is not None:
        return any(_mark(read) for read in recorded.values())
    return told


def _mark(read: Callable[[], Any]) -> bool | None:
    """Return whether something is marked; None when it says nothing of it."""
    try:
        found = read()
    except Exception:  # whatever is wrong with it: it can't be read
        return True
    if not isinstance(found, Mapping) or TAINT not in found:
        return None
    return cast("Mapping[str, Any]", found)[TAINT] is True
