"""A value as a short text, without calling code of its class: not even its `repr`.

The engine does this on its own thread, where a `repr` that is slow, or never ends, would stop all
other nodes. Where people look at a value, its own `repr` is asked: elsewhere, and later.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

_SCALARS: Final = (int, float, complex, bool, type(None), type(Ellipsis), range)
#: Modules of Python itself whose objects hold no others.
_QUICK: Final = frozenset({"datetime", "decimal", "fractions", "pathlib", "uuid"})
_CONTAINERS: Final[dict[Any, tuple[str, str]]] = {
    dict: ("{", "}"),
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}
#: How deep containers are followed.
_DEPTH: Final = 6
#: Longest integer that is written out, in bits: more takes long.
_BITS: Final = 1_000


def plain_text(value: Any, limit: int) -> str:
    """Return a text that is what `repr` says for plain values.

    Args:
        value: Anything. Of a dataclass or pydantic model the fields are shown, of other objects
            the class.
        limit: About how many characters are wanted; what is beyond is not looked at.
    """
    if value is None or type(value) in (bool, float):
        return repr(value)
    made: list[str] = []
    for part in _parts(value, limit, 0):
        made.append(part)
        limit -= len(part)
        if limit < 0:
            return "".join(made) + "…"
    return "".join(made)


def _parts(value: Any, limit: int, depth: int) -> Iterator[str]:
    """Yield the pieces of the text, so that who has enough takes no more."""
    kind = cast("type[Any]", type(value))
    if kind in (str, bytes, bytearray):
        yield repr(value[: limit + 1])
    elif kind in _SCALARS:
        is_long = kind is int and value.bit_length() > _BITS
        yield f"an integer of {value.bit_length():,} bits" if is_long else repr(value)
    elif issubclass(kind, enum.Enum):
        yield f"{kind.__name__}.{_attributes(value).get('_name_', '')}"
    elif issubclass(kind, tuple(_CONTAINERS)):
        yield from _container(value, kind, limit, depth)
    elif kind.__module__ in _QUICK:
        yield repr(value)
    elif kind.__module__ == "numpy":
        yield _array(value)
    elif (fields := _fields(value, kind)) is not None:
        items = ((f"{name}=", item) for name, item in fields)
        yield from _listed(f"{kind.__name__}(", items, ")", limit, depth)
    else:
        yield f"<{kind.__module__}.{kind.__qualname__} object>"


def _container(value: Any, kind: Any, limit: int, depth: int) -> Iterator[str]:
    """Go through a container by the methods of its built-in class, whatever its own class says."""
    base = _built_in(kind)
    opening, closing = _CONTAINERS[base]
    size = base.__len__(value)
    if size == 0 and "{" in opening and base is not dict:
        opening, closing = f"{base.__name__}(", ")"
    elif size == 1 and base is tuple:
        closing = ",)"
    if kind is not base:
        opening, closing = f"{kind.__name__}({opening}", f"{closing})"
    yield from _listed(opening, _entries(value, base, limit), closing, limit, depth)


def _built_in(kind: Any) -> Any:
    """Return the built-in container that a class is, or is made from."""
    return next(one for one in _CONTAINERS if issubclass(kind, one))


def _entries(value: Any, base: Any, limit: int) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a container, those of a mapping each with its key."""
    if base is not dict:
        yield from (("", item) for item in base.__iter__(value))
        return
    for key, item in cast("Any", base).items(value):
        yield f"{plain_text(key, limit)}: ", item


def _listed(
    opening: str, items: Iterable[tuple[str, Any]], closing: str, limit: int, depth: int
) -> Iterator[str]:
    yield opening
    if depth >= _DEPTH:
        yield "…"
    else:
        for number, (name, item) in enumerate(items):
            yield f", {name}" if number else name
            yield from _parts(item, limit, depth + 1)
    yield closing


def _array(value: Any) -> str:
    """Return a numpy number, or what kind of array it is: its entries may be any objects."""
    if value.shape or value.dtype.hasobject:
        return f"{value.dtype} array of shape {value.shape}"
    return repr(value)


def _fields(value: Any, kind: type[Any]) -> Iterable[tuple[str, Any]] | None:
    """Return the declared fields of a dataclass or pydantic model; None for other objects."""
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif hasattr(kind, "__pydantic_fields__"):
        names = list(cast("Any", kind).__pydantic_fields__)
    else:
        return None
    held = _attributes(value)
    return [(name, held[name]) for name in names if name in held]


def _attributes(value: Any) -> dict[str, Any]:
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:  # it has slots
        return {}
