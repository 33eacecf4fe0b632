"""From Python annotations to port types, and the annotations that mean something to a form."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from iaiflow_lab.model.types import ANY, PortType, parse_type

Widget = Literal["template", "expression", "python", "sql", "body", "text", "secret"]


@dataclass(frozen=True, slots=True)
class As:
    """Annotation metadata: this parameter or result is a port of that type."""

    #: The spelling of a port type.
    port: str


@dataclass(frozen=True, slots=True)
class Edited:
    """Annotation metadata: this configuration field is edited, and read, in a special way."""

    #: Which editor the form shows; `template`, `expression` and `body` change how it is read.
    widget: Widget


#: A table: anything with `__arrow_c_stream__`, or a polars LazyFrame.
Table = Annotated[Any, As("table")]
#: PNG, JPEG or SVG bytes.
Image = Annotated[bytes, As("image")]
#: The path of a file in the workspace.
File = Annotated[str, As("file")]
#: Any JSON value.
Json = Annotated[Any, As("json")]
#: Text in which `{{params.x}}` and `{{port}}` are replaced.
Template = Annotated[str, Edited("template")]
#: A condition over inputs and parameters.
Expression = Annotated[str, Edited("expression")]
#: Python source.
Python = Annotated[str, Edited("python")]
#: An SQL query.
Sql = Annotated[str, Edited("sql")]
#: Text that may name a secret: `secret:NAME`; the form offers the names.
Secret = Annotated[str, Edited("secret")]
#: A nested flow, or the path of one.
Body = Annotated[dict[str, Any] | str, Edited("body")]

_SIMPLE: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "json",
    list: "list[any]",
    bytes: "bytes",
    Path: "file",
    Any: "any",
    object: "any",
}
_STREAMS = frozenset(
    {
        collections.abc.Iterator,
        collections.abc.Iterable,
        collections.abc.Generator,
        collections.abc.AsyncIterator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncGenerator,
    }
)
_LISTS = frozenset({list, tuple, collections.abc.Sequence})
_TABLE_MODULES = ("polars", "pandas", "pyarrow", "duckdb")


def port_type(annotation: Any) -> PortType:
    """Return the port type that an annotation stands for; what is unknown is `any`."""
    if get_origin(annotation) is Annotated:
        return _annotated(annotation)
    if _hashable(annotation) and annotation in _SIMPLE:
        return parse_type(_SIMPLE[annotation])
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _union(annotation)
    if origin in _LISTS:
        return PortType("list", item=port_type((*get_args(annotation), Any)[0]))
    if origin is dict or origin is collections.abc.Mapping:
        return PortType("json")
    if origin is Literal:
        return port_type(type(get_args(annotation)[0]))
    return _class(annotation)


def _annotated(annotation: Any) -> PortType:
    base, *metadata = get_args(annotation)
    for entry in metadata:
        if isinstance(entry, As):
            return parse_type(entry.port)
    return port_type(base)


def _union(annotation: Any) -> PortType:
    members = {port_type(member) for member in get_args(annotation) if member is not type(None)}
    if len(members) == 1:
        return members.pop()
    return PortType("json") if all(PortType("json").accepts(m) for m in members) else ANY


def _class(annotation: Any) -> PortType:
    if not isinstance(annotation, type):
        return ANY
    if annotation.__module__.partition(".")[0] in _TABLE_MODULES:
        return PortType("table") if _is_table_class(cast("Any", annotation)) else ANY
    if hasattr(annotation, "model_json_schema"):
        return PortType("model", model=annotation.__name__)
    if dataclasses.is_dataclass(annotation) or typing.is_typeddict(cast("Any", annotation)):
        return PortType("json")
    return ANY


def _is_table_class(annotation: Any) -> bool:
    return hasattr(annotation, "__arrow_c_stream__") or annotation.__name__ == "LazyFrame"


def _hashable(annotation: Any) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def streamed_item(annotation: Any) -> Any:
    """Return what a generator yields, or the annotation itself when it is not a stream."""
    if get_origin(annotation) in _STREAMS:
        return (*get_args(annotation), Any)[0]
    return annotation


def record_fields(annotation: Any) -> dict[str, Any] | None:
    """Return the fields of a dataclass, TypedDict or NamedTuple; None for anything else."""
    if not isinstance(annotation, type):
        return None
    record = cast("Any", annotation)
    is_named_tuple = hasattr(record, "_fields")
    if dataclasses.is_dataclass(record) or typing.is_typeddict(record) or is_named_tuple:
        return typing.get_type_hints(record, include_extras=True)
    return None


def widget(annotation: Any) -> Widget | None:
    """Return how the form edits a configuration field; None: by its plain type."""
    if get_origin(annotation) is Annotated:
        for entry in get_args(annotation)[1:]:
            if isinstance(entry, Edited):
                return entry.widget
    return None
