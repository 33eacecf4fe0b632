"""What may stand in a flow file: finite, shallow JSON that every reader sees the same way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec

_encoder: Final = msgspec.json.Encoder()

#: Deepest nesting of objects and lists.
MAX_DEPTH = 100
#: Integers beyond 64 bits are changed by databases and other languages.
MAX_INTEGER = 2**63 - 1

_UNSAFE = re.compile("[\x00\ud800-\udfff]")

#: A place inside a value, as a linked list from the inside out: (outer place, key or index).
_Place = tuple[Any, str | int] | None


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """Stands in parsed JSON for an object that has one key twice."""

    key: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing in a value that may not be there."""

    #: One sentence.
    message: str
    #: Where, such as `nodes.clean.config.tags[3]`; "" for the value itself.
    place: str


def encode(value: Any) -> bytes:
    """Return what was said or shown as JSON; what JSON and UTF-8 do not hold becomes a text."""
    try:
        return _encoder.encode(value)
    except (TypeError, UnicodeEncodeError):
        return _encoder.encode(sendable(msgspec.to_builtins(value, enc_hook=repr)))


def sendable(value: Any, depth: int = 0) -> Any:
    """Return data as JSON and UTF-8 hold it: what they do not hold becomes a text.

    Args:
        value: Dictionaries, lists, texts, numbers; anything else becomes its text.
        depth: How deep it lies; below `MAX_DEPTH` there is only an ellipsis.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if not isinstance(value, Mapping | list | tuple):
        return sendable(str(value))
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value).items()
        return {sendable(str(key)): sendable(item, depth + 1) for key, item in entries}
    return [sendable(item, depth + 1) for item in cast("list[Any]", value)]


def is_text(value: str) -> bool:
    """Say whether UTF-8 holds a text: one that a program made of file names may be none."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | DuplicateKey:
    """Build an object for `json.loads(object_pairs_hook=...)` and notice a repeated key."""
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return DuplicateKey(key)
        seen.add(key)
    return made


def find_fault(value: Any) -> Fault | None:
    """Return the first thing in `value` that is no safe JSON; None when all of it is."""
    stack: list[tuple[Any, int, _Place]] = [(value, 0, None)]
    while stack:
        item, depth, place = stack.pop()
        if message := _fault_of(item, depth):
            return Fault(message, _spell(place))
        if isinstance(item, dict):
            entries = cast("dict[str, Any]", item).items()
            stack.extend((inner, depth + 1, (place, key)) for key, inner in reversed(entries))
        elif isinstance(item, list):
            numbered = list(enumerate(cast("list[Any]", item)))
            stack.extend((inner, depth + 1, (place, index)) for index, inner in reversed(numbered))
    return None


def _fault_of(item: Any, depth: int) -> str:
    """Return what is wrong with `item`, leaving aside what it holds; "" when nothing is."""
    if isinstance(item, str):
        return _text_fault(item)
    if item is None or isinstance(item, bool):
        return ""
    if isinstance(item, int):
        return "" if abs(item) <= MAX_INTEGER else "The number is too large (64 bits at most)."
    if isinstance(item, float):
        return "" if math.isfinite(item) else "The number must be finite."
    if isinstance(item, DuplicateKey):
        return f"Key {item.key!r} appears twice."
    if not isinstance(item, dict | list):
        return f"A value of type {type(item).__name__} is not JSON."
    if depth >= MAX_DEPTH:
        return f"Nested deeper than {MAX_DEPTH} levels."
    return _keys_fault(cast("dict[Any, Any]", item)) if isinstance(item, dict) else ""


def _keys_fault(keys: Iterable[Any]) -> str:
    for key in keys:
        if not isinstance(key, str):
            return f"Key {key!r} must be a text."
        if fault := _text_fault(key):
            return fault
    return ""


def _text_fault(text: str) -> str:
    if match := _UNSAFE.search(text):
        character = f"U+{ord(match.group()):04X}"
        return f"The text holds an invalid character ({character}) at position {match.start() + 1}."
    return ""


def _spell(place: _Place) -> str:
    parts: list[str | int] = []
    while place is not None:
        place, part = place
        parts.append(part)
    return spell_place(reversed(parts))


def spell_place(parts: Iterable[str | int]) -> str:
    """Return keys and indexes as `nodes.clean.config.tags[3]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def kind(value: Any) -> str:
    """Return what a JSON value is called in a sentence: `a list`, `a text`, `null`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, Mapping) else type(value).__name__
