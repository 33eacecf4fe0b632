"""Any object as a short text: bounded in length and in the work that it takes."""

from __future__ import annotations

import reprlib
import types
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final, cast

from iaiflow_lab.canvas.timed import TooLongError, timed

#: Longest wait for an object's own `repr`, in seconds.
_PATIENCE: Final = 2.0
#: Objects inside an object, at most, for its own `repr` to be asked.
_AFFORDABLE: Final = 20_000
#: Texts and bytes inside an object count as one object for each of these characters.
_CHARACTERS: Final = 100

_CODE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType)


def short(value: Any, limit: int = 2_000) -> str:
    """Return a text that shows `value`; it never raises, and huge values cost nothing.

    Args:
        value: Anything.
        limit: The longest text, in characters.
    """
    try:
        text = _repr(value, limit)
    except TooLongError:
        text = f"{described(value)} (it takes too long to show itself)"
    except Exception as error:
        text = f"{described(value)} (it can't show itself: {type(error).__name__})"
    return cut(text, limit)


def cut(text: str, limit: int) -> str:
    """Return `text`, shortened to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def described(value: Any) -> str:
    """Return what kind of object `value` is, and its size where that is told at once."""
    kind = cast("type[Any]", type(value))
    name = kind.__qualname__ if kind.__module__ == "builtins" else full_name(kind)
    shape = getattr_safe(value, "shape")
    if isinstance(shape, tuple):
        return f"{name} of shape {cut(repr(cast('Any', shape)), 60)}"
    if issubclass(kind, str | bytes | bytearray | list | tuple | dict | set | frozenset):
        with suppress(Exception):
            return f"{name} of length {len(cast('list[Any]', value)):,}"
    return f"{name} object"


def full_name(kind: type) -> str:
    """Return a class's name with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def getattr_safe(value: Any, name: str) -> Any:
    """Return an attribute; None when there is none or looking raises."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None


def _repr(value: Any, limit: int) -> str:
    if isinstance(value, str | bytes | bytearray):
        kept = value[:limit]
        return repr(kept) if len(kept) == len(value) else repr(kept)[:-1] + "…"
    if isinstance(value, int) and value.bit_length() > 4 * limit:
        return f"an integer of {value.bit_length():,} bits"
    if type(value) in (list, tuple, dict, set, frozenset):
        return _shortener(limit).repr(value)
    if type(value).__repr__ is object.__repr__:
        return f"<{described(value)}>"
    if not _is_affordable(value):
        return f"<{described(value)}>"
    return timed(lambda: str.__str__(repr(value)), _PATIENCE)


class _Shortener(reprlib.Repr):
    """Shortens containers by their first entries, and what stands in them like `short`."""

    def repr_instance(self, x: Any, level: int) -> str:
        """Return the text of what is no container."""
        del level
        return short(x, self.maxother)


def _shortener(limit: int) -> reprlib.Repr:
    made = _Shortener()
    made.maxlevel = 4
    made.maxstring = made.maxother = made.maxlong = min(limit, 200)
    made.maxlist = made.maxtuple = made.maxset = made.maxfrozenset = made.maxdict = 20
    return made


def _is_affordable(value: Any) -> bool:
    """Say whether an object holds few others; no more are looked at than that takes."""
    pending: list[Any] = [value]
    seen: set[int] = set()
    weight = 0
    while pending and weight <= _AFFORDABLE:
        current = pending.pop()
        if id(current) in seen or isinstance(current, _CODE):
            continue
        seen.add(id(current))
        if isinstance(current, str | bytes | bytearray):
            weight += 1 + len(current) // _CHARACTERS
            continue
        held = _held(current)
        weight += 1 + len(held)
        if weight <= _AFFORDABLE:
            pending.extend(held)
    return weight <= _AFFORDABLE


def _held(value: Any) -> Collection[Any]:
    """Return the entries of a container, or the values of an object's attributes."""
    if isinstance(value, dict):
        return cast("dict[Any, Any]", value).values()
    if isinstance(value, list | tuple | set | frozenset | deque):
        return cast("Collection[Any]", value)
    slots: Any = getattr(cast("Any", type(value)), "__slots__", ())
    names = [slots] if isinstance(slots, str) else list(slots)
    held = [getattr_safe(value, name) for name in names if name != "__dict__"]
    attributes = getattr_safe(value, "__dict__")
    return [*held, attributes] if isinstance(attributes, dict) else held
