"""Flow files: text to flow and back. Pure; opening the file is the caller's business."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.data import from_data, to_data
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.json_value import MAX_DEPTH, unique_object

__all__ = [
    "MAX_BYTES",
    "SUFFIX",
    "dump",
    "from_data",
    "parse",
    "parse_json",
    "to_data",
    "too_large",
]

#: How the name of a flow file ends.
SUFFIX = ".flow.json"
#: Largest flow file, in bytes.
MAX_BYTES = 5_000_000

#: Longest line into which a value is put, in characters.
_WIDTH = 120
#: Blocks of the file that have one entry a line, so that a change is a change of one line.
_BLOCKS = frozenset({"nodes", "edges", "layout"})
#: Longer integers exceed 64 bits; turning them into `int` first could take minutes.
_MAX_DIGITS = 20
_TOO_LARGE = 10**_MAX_DIGITS

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def parse(source: str | bytes, where: str = "") -> Flow:
    """Read a flow file's text; nothing is executed, imported or connected.

    Args:
        source: The content of the file.
        where: The file's name, for messages.

    Raises:
        FlowError: The text is not a flow of a known format, or exceeds a limit.
    """
    try:
        return from_data(parse_json(source))
    except FlowError as error:
        place = ": ".join(part for part in (where, error.where) if part)
        raise FlowError(error.what, where=place, remedy=error.remedy, code=error.code) from None


def parse_json(source: str | bytes) -> Any:
    """Read JSON within the limits of a flow file, without looking at what it says.

    Raises:
        FlowError: It is too large, too deep, empty, in another encoding, or not JSON.
    """
    text = _decode(source)
    _check_depth(text)
    try:
        return json.loads(text, object_pairs_hook=unique_object, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise FlowError(
            "This isn't a flow file: invalid JSON.",
            where=f"line {error.lineno}, column {error.colno}",
            remedy=f"{error.msg}.",
        ) from None


def dump(flow: Flow, previous: str = "") -> str:
    """Return the text of the flow's file: stable, with one line for each short node.

    Args:
        flow: The flow.
        previous: The file's present text; it is returned unchanged when it says the same.

    Raises:
        FlowError: The flow could not be read back from its file.
    """
    data = to_data(flow)
    from_data(data)
    text = _block(data, 0, ()) + "\n"
    if len(text.encode()) > MAX_BYTES:
        raise too_large(len(text.encode()))
    return previous if previous and _says(previous, text) else text


def _says(previous: str, text: str) -> bool:
    try:
        return _block(to_data(parse(previous)), 0, ()) + "\n" == text
    except FlowError:
        return False


def _decode(source: str | bytes) -> str:
    if len(source) > MAX_BYTES:
        raise too_large(len(source))
    if isinstance(source, bytes):
        source = _decode_bytes(source)
    text = source.removeprefix("\ufeff")
    if not text.strip():
        raise FlowError("The file is empty.", remedy="Restore it, or write a flow into it.")
    return text


def _decode_bytes(source: bytes) -> str:
    if source.startswith(_UTF16_MARKS) or b"\x00" in source[:4]:
        raise FlowError("The file is UTF-16 or UTF-32 text.", remedy="Save it as UTF-8.")
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise FlowError(
            "The file is not UTF-8 text.", where=f"line {line}", remedy="Save it as UTF-8."
        ) from None


def too_large(size: int) -> FlowError:
    """Return what is said of a flow of `size` bytes."""
    return FlowError(
        f"Flow files may be {MAX_BYTES // 1_000_000} MB at most; this is {size / 1e6:,.1f} MB.",
        remedy="Keep data in files of its own and read them with a node.",
    )


def _check_depth(text: str) -> None:
    """Refuse deep nesting before a recursive parser sees it."""
    depth = 0
    for token in _TOKEN.finditer(text):
        character = token.group()
        if character in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(text, token.start())
        elif character in ("]", "}"):
            depth -= 1


def _too_deep(text: str, position: int) -> FlowError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return FlowError(
        f"Nested deeper than {MAX_DEPTH} levels.", where=f"line {line}, column {column}"
    )


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= _MAX_DIGITS else _TOO_LARGE


def _block(value: Any, indent: int, path: tuple[str, ...]) -> str:
    """Format a value: on one line where it fits, else one entry a line."""
    line = _line(value)
    spread = not path or (len(path) == 1 and path[0] in _BLOCKS)
    used = indent + len(_line(path[-1])) + 2 if path else 0
    fits = used + len(line) < _WIDTH and not spread
    if fits or not value or not isinstance(value, dict | list):
        return line
    inner = indent + 2
    if isinstance(value, dict):
        entries = [
            f"{_line(key)}: {_block(item, inner, (*path, key))}"
            for key, item in cast("dict[str, Any]", value).items()
        ]
    else:
        entries = [_block(item, inner, (*path, "")) for item in cast("list[Any]", value)]
    lines = ",\n".join(" " * inner + entry for entry in entries)
    return f"{line[0]}\n{lines}\n{' ' * indent}{line[-1]}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
