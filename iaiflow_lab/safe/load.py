"""The one way to read JSON that came from outside."""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn, cast

from iaiflow_lab.errors import InputError

#: Largest text, in bytes, unless the caller says otherwise.
MAX_BYTES: Final = 50_000_000
#: Deepest nesting of objects and lists.
MAX_DEPTH: Final = 100
#: Integers with more digits take long to read and fit no database.
_MAX_DIGITS: Final = 20


def safe_load(
    source: str | bytes, *, where: str = "", max_bytes: int = MAX_BYTES, finite: bool = True
) -> Any:
    """Read JSON that every reader understands in the same way.

    Args:
        source: The text, or its UTF-8 bytes.
        where: What is read, for messages.
        max_bytes: Largest size that is read.
        finite: Whether NaN and infinity are refused; outputs in notebooks may hold them.

    Raises:
        InputError: It is too large, no UTF-8, no JSON, too deep, or ambiguous: a key that appears
            twice, a number that is not finite or has no end.
    """
    if len(source) > max_bytes:
        raise _refused(f"it has {len(source):,} bytes, more than {max_bytes:,}", where)
    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant if finite else None,
            parse_float=_float if finite else None,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _refused(f"{error.msg.lower()} ({place})", where) from None
    except UnicodeDecodeError:
        raise _refused("it is not UTF-8 text", where) from None
    except RecursionError:
        raise _refused(f"it is nested deeper than {MAX_DEPTH} levels", where) from None
    except _AmbiguousError as error:
        raise _refused(str(error), where) from None
    if _is_deep(value):
        raise _refused(f"it is nested deeper than {MAX_DEPTH} levels", where)
    return value


class _AmbiguousError(Exception):
    """Something that readers of JSON understand in different ways."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise _AmbiguousError(f"the key {twice!r} appears twice")
    return made


def _constant(name: str) -> NoReturn:
    raise _AmbiguousError(f"{name} is no JSON number")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _AmbiguousError("a number is too large")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise _AmbiguousError("a number has too many digits")
    return int(digits)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(cast("dict[str, Any]", item).values())
            elif isinstance(item, list):
                inner.extend(cast("list[Any]", item))
        if not inner:
            return False
        level = inner
    return True


def _refused(why: str, where: str) -> InputError:
    return InputError(f"This JSON can't be used: {why}.", where=where, code="json-invalid")
