"""Port types: the closed table that Python and the canvas share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: Every simple port type, with what flows through it.
PORT_TYPES: dict[str, str] = {
    "text": "a string",
    "number": "an integer or a float",
    "boolean": "true or false",
    "json": "any JSON value",
    "table": "anything with __arrow_c_stream__, or a polars LazyFrame",
    "image": "PNG, JPEG or SVG bytes",
    "bytes": "raw bytes",
    "file": "the path of a file in the workspace",
    "message": "one chat message",
    "any": "any Python value",
}

#: Longest spelling of a type, in characters; the parser is recursive.
_MAX_LENGTH = 200
_JSON_TYPES = frozenset({"json", "text", "number", "boolean"})
_NAME = re.compile(r"(?P<outer>[a-z]+)(?:\[(?P<item>.+)\]|:(?P<model>[\w.]+))?\Z")


@dataclass(frozen=True, slots=True)
class PortType:
    """The type of a port: a simple name, `list[...]`, or `model:NAME`."""

    #: A key of `PORT_TYPES`, "list" or "model".
    name: str
    #: The type of the items, for "list".
    item: PortType | None = None
    #: The name of the pydantic model, for "model".
    model: str = ""

    def __str__(self) -> str:
        """Return the spelling used in files: `text`, `list[table]`, `model:Invoice`."""
        if self.item is not None:
            return f"list[{self.item}]"
        return f"model:{self.model}" if self.name == "model" else self.name

    def accepts(self, source: PortType) -> bool:
        """Say whether one value of type `source` may flow into a port of this type."""
        if "any" in (self.name, source.name) or self == source:
            return True
        if self.item is not None and source.item is not None:
            return self.item.accepts(source.item)
        if self.name == "json":
            return _is_json(source)
        return source.name == "json" and _is_json(self)

    def gathers(self, source: PortType) -> bool:
        """Say whether edges of type `source` arrive here as the items of a list."""
        if self.item is None or source.item is not None:
            return False
        return self.item.accepts(source) and source.name != "any"


def _is_json(port_type: PortType) -> bool:
    if port_type.item is not None:
        return _is_json(port_type.item)
    return port_type.name in _JSON_TYPES or port_type.name == "model"


@lru_cache(maxsize=512)
def parse_type(text: str) -> PortType:
    """Read a port type from its spelling.

    Raises:
        ValueError: `text` is not in the table.
    """
    match = _NAME.match(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise ValueError(f"{text[:_MAX_LENGTH]!r} is not a port type")
    outer, item, model = match.group("outer", "item", "model")
    if outer == "list" and item:
        return PortType("list", item=parse_type(item))
    if outer == "model" and model:
        return PortType("model", model=model)
    if outer in PORT_TYPES and not item and not model:
        return PortType(outer)
    raise ValueError(f"{text!r} is not a port type; known: {', '.join(PORT_TYPES)}, list[...]")


ANY = PortType("any")
