"""Text and JSON: filling in and taking out."""

from __future__ import annotations

import re
from typing import Any, cast

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.json_value import kind
from iaiflow_lab.model.names import listed
from iaiflow_lab.sdk.annotations import Json, Template
from iaiflow_lab.sdk.node import node

_SEGMENT = re.compile(r"(?:\A|\.)([^.\[\]]+)|\[(-?\d{1,9})\]")


@node("text.template", category="Text", title="Template")
def template(*, template: Template, **values: Any) -> str:
    """Fill in a text: `Flights of {{params.month}}: {{summary}}`.

    Each name in double braces is an input that can be wired, or `params.NAME`. Values are put in
    as they are; nothing in them is evaluated.

    Args:
        template: The text with its `{{names}}`.
        values: What the names stand for.
    """
    del values  # the engine has put them into the text
    return template


@node("json.pick", category="Text", title="Pick from JSON")
def pick(data: Json, *, path: str, default: Json = None, required: bool = True) -> Json:
    """Take one value out of JSON: `items[0].name`.

    Args:
        data: An object or a list.
        path: Keys joined by dots, and positions in brackets; `[-1]` is the last one.
        default: The value when there is none and it is not required.
        required: Whether it is an error when there is none.
    """
    value = data
    for key in _segments(path):
        found, value = _step(value, key)
        if not found:
            if not required:
                return default
            raise NodeError(
                f"{path!r} leads to nothing: {_missing(value, key)}.",
                remedy="Correct the path, or give a default and make it not required.",
                code="path-missing",
            )
    return value


def _segments(path: str) -> list[str | int]:
    parts: list[str | int] = []
    end = 0
    while end < len(path):
        match = _SEGMENT.match(path, end)
        if match is None:
            raise NodeError(
                f"The path {path!r} can't be read from character {end + 1} on.",
                remedy="Write keys and positions, such as items[0].name",
                code="path-invalid",
            )
        key, index = match.groups()
        parts.append(key if index is None else int(index))
        end = match.end()
    return parts


def _step(value: Any, key: str | int) -> tuple[bool, Any]:
    """Return whether `key` leads on, and to what; the value itself when it does not."""
    if isinstance(key, str) and isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return (True, entries[key]) if key in entries else (False, entries)
    if isinstance(key, int) and isinstance(value, list):
        items = cast("list[Any]", value)
        return (True, items[key]) if -len(items) <= key < len(items) else (False, items)
    return False, value


def _missing(value: Any, key: str | int) -> str:
    if isinstance(key, str) and isinstance(value, dict):
        return f"there is no key {key!r} (keys: {listed(cast('dict[str, Any]', value))})"
    if isinstance(key, int) and isinstance(value, list):
        return f"there is no [{key}] in a list of {len(cast('list[Any]', value))}"
    return f"there is no {key!r} in {kind(value)}"
