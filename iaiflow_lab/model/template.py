r"""Texts with data in them: `Summarise {{document}} about {{params.topic}}`.

What stands between the braces is a path into the node's inputs, `port.field["key"][0]`, or a
parameter, `params.topic`. It is looked up, never evaluated. `\{{` is a plain `{{`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model import names
from iaiflow_lab.model.flow import PARAMS
from iaiflow_lab.model.json_value import kind

_OPEN = re.compile(r"\\\{\{|\{\{")
_SEGMENT = re.compile(
    r"""\.(?P<field>[^\W\d][\w-]*)|\[(?:(?P<index>-?\d{1,9})|"(?P<key>[^"\]]*)"|'(?P<key2>[^'\]]*)')\]"""
)
_ROOT = re.compile(r"\s*(?P<name>[^\W\d]\w*)")
_REMEDY = r"Write {{port}}, {{port.field}}, {{port[0]}} or {{params.x}}; \{{ is plain text."


@dataclass(frozen=True, slots=True)
class Path:
    """One `{{...}}` in a template."""

    #: A port's name, or `params`.
    root: str
    #: Keys and indexes below it.
    segments: tuple[str | int, ...]
    #: What stands between the braces.
    text: str

    def look_up(self, values: Mapping[str, Any]) -> Any:
        """Return what the path leads to.

        Raises:
            NodeError: There is nothing.
        """
        if self.root not in values:
            raise self._nothing(f"there is no input {self.root!r}")
        value = values[self.root]
        for segment in self.segments:
            value = self._step(value, segment)
        return value

    def _step(self, value: Any, segment: str | int) -> Any:
        if isinstance(segment, str) and isinstance(value, Mapping):
            mapping = cast("Mapping[str, Any]", value)
            if segment in mapping:
                return mapping[segment]
            raise self._nothing(f"there is no key {segment!r} (keys: {names.listed(mapping)})")
        if isinstance(segment, int) and isinstance(value, list | tuple):
            items = cast("Sequence[Any]", value)
            if -len(items) <= segment < len(items):
                return items[segment]
            raise self._nothing(f"the list has {len(items)} items")
        wanted = "keys" if isinstance(segment, str) else "items"
        raise self._nothing(f"{kind(value)} has no {wanted}")

    def _nothing(self, why: str) -> NodeError:
        return NodeError(f"{{{{{self.text}}}}} can't be filled in: {why}.", code="template-failed")


@dataclass(frozen=True)
class Template:
    """A parsed template."""

    #: Plain texts and paths, in order.
    parts: tuple[str | Path, ...]

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Every `{{...}}`, in order."""
        return tuple(part for part in self.parts if isinstance(part, Path))

    @cached_property
    def names(self) -> frozenset[str]:
        """The input ports that it takes values from."""
        return frozenset(path.root for path in self.paths if path.root != PARAMS)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The flow parameters that it takes values from."""
        return frozenset(str(path.segments[0]) for path in self.paths if path.root == PARAMS)

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text with every path replaced.

        Args:
            values: Inputs by port name, and the flow's parameters as `params`.

        Raises:
            NodeError: A path leads nowhere, or to bytes.
        """
        return "".join(
            part if isinstance(part, str) else _as_text(part.look_up(values), part)
            for part in self.parts
        )


@lru_cache(maxsize=4096)
def parse(text: str) -> Template:
    """Read a template.

    Raises:
        FlowError: Braces stay open or hold something else than a path; `where` is the place.
    """
    return Template(tuple(_parts(text)))


def _parts(text: str) -> Iterator[str | Path]:
    position = 0
    for opening in _OPEN.finditer(text):
        if opening.start() < position:
            continue
        yield text[position : opening.start()]
        if opening.group() != "{{":
            yield "{{"
            position = opening.end()
            continue
        end = text.find("}}", opening.end())
        if end < 0:
            raise _error("'{{' is never closed", text, opening.start())
        yield _path(text, opening.end(), end)
        position = end + 2
    yield text[position:]


def _path(text: str, start: int, end: int) -> Path:
    inner = text[start:end].strip()
    root = _ROOT.match(text, start, end)
    if root is None:
        raise _error(f"{{{{{names.shorten(inner)}}}}} is no path", text, start)
    position = root.end()
    segments: list[str | int] = []
    while match := _SEGMENT.match(text, position, end):
        segments.append(_segment(match))
        position = match.end()
    if text[position:end].strip():
        raise _error(f"{{{{{names.shorten(inner)}}}}} is no path", text, position)
    if root.group("name") == PARAMS and not (segments and isinstance(segments[0], str)):
        raise _error(f"{{{{{names.shorten(inner)}}}}} names no parameter", text, start)
    return Path(root.group("name"), tuple(segments), inner)


def _segment(match: re.Match[str]) -> str | int:
    if (index := match.group("index")) is not None:
        return int(index)
    return next(group for group in match.group("field", "key", "key2") if group is not None)


def _error(what: str, text: str, position: int) -> FlowError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return FlowError(f"{what}.", where=f"line {line}, column {column}", remedy=_REMEDY)


def _as_text(value: Any, path: Path) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raise NodeError(
            f"{{{{{path.text}}}}} holds bytes, which are no text.",
            remedy="Decode them in a node before this one.",
            code="template-failed",
        )
    if value is None or isinstance(value, bool | int | float | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
