"""Conditions on JSON values: `{"price": {"$gte": 10}, "$or": [{"a": 1}, {"b": 2}]}`.

A field is compared by `$eq`, `$ne`, `$gt`, `$gte`, `$lt`, `$lte`, or with a value as it is: then
objects must fit field by field and lists element by element. `$and` and `$or` take a list, for the
whole value or for one field. Numbers compare with numbers and texts with texts; nothing else has
an order, and what is missing equals nothing but null. `{"user.name": "Anna"}` looks into objects.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from iaiflow_memory.errors import BadInput

_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_KNOWN: Final = ("$eq", "$ne", *_ORDERS, "$and", "$or")


def fits(value: Any, wanted: Any) -> bool:
    """Return whether a value fits a condition.

    Raises:
        BadInput: The condition cannot be read.
    """
    if isinstance(wanted, Mapping):
        return all(
            _fits_one(value, str(k), v) for k, v in cast("Mapping[Any, Any]", wanted).items()
        )
    if isinstance(wanted, list | tuple):
        return _fits_list(value, cast("Sequence[Any]", wanted))
    return bool(value == wanted)


def _fits_one(value: Any, key: str, wanted: Any) -> bool:
    if key in {"$and", "$or"}:
        if not isinstance(wanted, list | tuple):
            raise BadInput(f"{key!r} takes a list of conditions", where="filter")
        parts = [fits(value, part) for part in cast("Sequence[Any]", wanted)]
        return all(parts) if key == "$and" else any(parts)
    if key in _ORDERS:
        return _has_order(value, wanted) and _ORDERS[key](value, wanted)
    if key in {"$eq", "$ne"}:
        return (value == wanted) is (key == "$eq")
    if key.startswith("$"):
        raise BadInput(
            f"{key!r} is no comparison", where="filter", remedy=f"Use {', '.join(_KNOWN)}"
        )
    return fits(_field(value, key), wanted)


def _field(value: Any, key: str) -> Any:
    """Return what a value has at a key, or at a path of keys (`user.name`); None for nothing."""
    if not isinstance(value, Mapping):
        return None
    found = cast("Mapping[str, Any]", value)
    first, dot, rest = key.partition(".")
    return _field(found.get(first), rest) if dot and key not in found else found.get(key)


def _fits_list(value: Any, wanted: Sequence[Any]) -> bool:
    if not isinstance(value, list | tuple):
        return False
    found = cast("Sequence[Any]", value)
    return len(found) == len(wanted) and all(map(fits, found, wanted))


def _has_order(value: Any, other: Any) -> bool:
    def is_number(one: Any) -> bool:
        return isinstance(one, int | float) and not isinstance(one, bool)

    return (is_number(value) and is_number(other)) or (
        isinstance(value, str) and isinstance(other, str)
    )
