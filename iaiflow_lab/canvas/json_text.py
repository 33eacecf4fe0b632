"""Plain data as JSON text of bounded length; always valid JSON, however much is left out."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, cast

from iaiflow_lab.canvas.texts import cut, short

#: How deep data is followed.
_DEPTH: Final = 30
#: Longest key and, where a text is shortened, longest text, in characters.
_KEY: Final = 200
_SCALARS = (bool, int, float, type(None))


def is_data(value: Any) -> bool:
    """Say, by its type alone, whether a value is shown as JSON."""
    if type(value) in (dict, list, tuple, *_SCALARS):
        return not (isinstance(value, float) and not math.isfinite(value))
    return _fields(value) is not None or _is_scalar(value)


def json_text(value: Any, limit: int) -> tuple[str, bool]:
    """Return data as JSON, and whether something was left out.

    Args:
        value: Plain data, a dataclass or a pydantic model. What JSON does not hold stands in it as
            a short text.
        limit: The longest text, in characters.
    """
    entries = 4 * limit  # what fits is never cut: few numbers are spelled as long as they count
    while True:
        writer = _Writer(entries)
        text = json.dumps(writer.plain(value, 0), ensure_ascii=False, default=str)
        if len(text) <= limit or (writer.is_cut and entries < 16):
            return text, writer.is_cut
        if entries < 16:  # it was copied whole, and only its spelling is too long
            return '"…"', True
        entries //= 4


class _Writer:
    """Copies data as long as there is room for it."""

    def __init__(self, room: int) -> None:
        #: Characters that may still be written, more or less.
        self.room = room
        self.is_cut = False

    def plain(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        self.room -= 8
        if type(value) in _SCALARS:
            return self._scalar(value)
        if _is_scalar(value):
            return self.plain(value.item(), depth + 1) if depth < _DEPTH else str(value)
        fields = _fields(value)
        if fields is not None:
            value = fields
        if depth >= _DEPTH and isinstance(value, Mapping | list | tuple):
            self.is_cut = True
            return "…"
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[Any, Any]", value), depth)
        if isinstance(value, list | tuple):
            return self._list(cast("list[Any]", value), depth)
        if hasattr(value, "isoformat"):
            return str(value)
        return self._text(short(value, _KEY))

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        return short(value) if isinstance(value, int) and value.bit_length() > 4_000 else value

    def _text(self, text: str) -> str:
        kept = text if len(text) <= max(self.room, 16) else cut(text, max(self.room, 16))
        self.is_cut = self.is_cut or len(kept) < len(text)
        self.room -= len(kept) + 4
        return kept.encode("utf-8", "replace").decode()

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, item in self._roomy(value.items(), len(value)):
            name = cut(key if isinstance(key, str) else short(key, _KEY), _KEY)
            self.room -= len(name) + 4
            made[name] = self.plain(item, depth + 1)
        return made

    def _list(self, value: Iterable[Any], depth: int) -> list[Any]:
        many = cast("list[Any]", value)
        return [self.plain(item, depth + 1) for item in self._roomy(many, len(many))]

    def _roomy(self, items: Iterable[Any], count: int) -> Iterable[Any]:
        """Yield items while there is room."""
        for number, item in enumerate(islice(items, count)):
            if self.room <= 0 and number:
                self.is_cut = True
                return
            yield item


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of a record object; None for what is none."""
    kind = cast("Any", type(value))
    if dataclasses.is_dataclass(kind):
        return {one.name: getattr(value, one.name, None) for one in dataclasses.fields(kind)}
    if hasattr(kind, "model_json_schema") and hasattr(kind, "model_fields"):
        return {name: getattr(value, name, None) for name in kind.model_fields}
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return {name: getattr(cast("Any", value), name) for name in kind._fields}
    return None


def _is_scalar(value: Any) -> bool:
    """Say whether a value is a number of numpy."""
    is_numpy = type(value).__module__ == "numpy"
    return is_numpy and getattr(value, "shape", None) == () and hasattr(value, "item")
