"""Whether an agent begins with words of strangers: what other steps of its run have given it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeVar, cast
from weakref import WeakSet

from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.origin import Origin

#: How an agent tells in its trace and its records that it has read words of strangers.
TAINT: Final = "untrusted"
#: The record of what an agent begins with.
_BEGIN: Final = "strangers"
#: The records that tell of an agent that goes on, or has failed.
_TELLING: Final = re.compile(f"{_BEGIN}|(?:.*/)?tool:.+", re.DOTALL)

#: What agents' node types call: these alone are believed when they say that they read nothing.
_AGENTS: Final[WeakSet[Callable[..., Any]]] = WeakSet()

Readers = Mapping[str, Callable[[], Any]]
F = TypeVar("F", bound=Callable[..., Any])


def tells(function: F) -> F:
    """Take that a node type's function tells in its trace and its records what it has read."""
    _AGENTS.add(function)
    return function


async def strange_inputs(
    context: Context, tables: Collection[str], *, untrusted: bool = False
) -> tuple[bool, bool]:
    """Say whether strangers may have written some of what an agent begins with.

    It is found once and recorded, so that a run that goes on decides as before.

    Args:
        context: The agent's step.
        tables: The inputs that are tables, which are read by tools only.
        untrusted: Whether its configuration says so.

    Returns:
        Whether it is so of words, and of tables.
    """
    origins = list(context.origins())
    if not origins and not untrusted:
        return False, False

    def find() -> dict[str, bool]:
        words = [one for one in origins if one.port not in tables]
        held = [one for one in origins if one.port in tables or (tables and not one.port)]
        is_tainted = untrusted or _come_from_strangers(context, words)
        return {TAINT: is_tainted, "tables": _come_from_strangers(context, held)}

    found = await context.aonce(_BEGIN, lambda: asyncio.to_thread(find))  # traces can be long
    return found[TAINT], found["tables"]


def _come_from_strangers(context: Context, origins: Iterable[Origin]) -> bool:
    """Say whether words of strangers may have come from one of these steps, or through it.

    An agent says by itself whether it has read such words; of other steps their node types tell,
    and what came before them.

    Args:
        context: The step that is given them.
        origins: Where its inputs come from.
    """
    agents = _agents(context)
    waiting, seen = list(origins), set[str]()
    while waiting:
        origin = waiting.pop()
        if origin.step in seen:
            continue
        seen.add(origin.step)
        said = _said(origin, agents.get(origin.step))
        if said or (said is None and origin.untrusted):
            return True
        if said is None:
            waiting += origin.before()
    return False


def _agents(context: Context) -> Mapping[str, Readers]:
    """Return what agents of this run have recorded of themselves, by step and key."""
    found: dict[str, dict[str, Callable[[], Any]]] = {}
    for step, key, read in context.recorded(_TELLING):
        found.setdefault(step, {})[key] = read
    return found


def _said(origin: Origin, recorded: Readers | None) -> bool | None:
    """Return what an agent says of itself; of other steps True, or None: they don't clear."""
    told = _mark(lambda: origin.output("trace"))
    if told or origin.target not in _AGENTS:
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
