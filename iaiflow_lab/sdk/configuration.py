"""Configuration of nodes: its JSON Schema and its validation, by pydantic (imported on use)."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk import annotations

if TYPE_CHECKING:
    from iaiflow_lab.sdk.node import NodeType

#: Port types whose values a form can take when nothing is wired.
_CONFIGURABLE = frozenset({"text", "number", "boolean", "json", "file", "list"})
#: Ends of names that are units, and how they are written.
_UNITS = {"s": "s", "ms": "ms", "mb": "MB", "kb": "kB", "gb": "GB"}

_models: WeakKeyDictionary[NodeType[Any, Any], type[BaseModel]] = WeakKeyDictionary()


def config_model(node_type: NodeType[Any, Any]) -> type[BaseModel]:
    """Return the pydantic model of the node type's configuration fields."""
    if node_type not in _models:
        fields: dict[str, Any] = {}
        for field in node_type.fields:
            extra = {"x-widget": widget} if (widget := annotations.widget(field.annotation)) else {}
            required = field.default is inspect.Parameter.empty
            fields[f"field_{field.name}"] = (  # no name of a model's own can be in the way
                field.annotation,
                Field(
                    ... if required else field.default,
                    alias=field.name,
                    title=_title(field.name),
                    description=node_type.argument_help.get(field.name),
                    json_schema_extra=cast("Any", extra) or None,
                ),
            )
        _models[node_type] = create_model(
            node_type.name,
            __config__=ConfigDict(
                extra="forbid", arbitrary_types_allowed=True, protected_namespaces=()
            ),
            **fields,
        )
    return _models[node_type]


def _title(name: str) -> str:
    """Return what the form calls a field: `timeout_s` is "Timeout (s)"."""
    words, _, unit = name.rpartition("_")
    if words and unit in _UNITS:
        return f"{words.replace('_', ' ').capitalize()} ({_UNITS[unit]})"
    return name.replace("_", " ").capitalize()


def config_schema(node_type: NodeType[Any, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the configuration, with the ports that a form can fill."""
    schema = config_model(node_type).model_json_schema()
    schema.pop("title", None)
    schema["additionalProperties"] = node_type.free_inputs is not None
    properties = schema.setdefault("properties", {})
    for port in node_type.inputs:
        if port.type.name in _CONFIGURABLE:
            field = {"title": _title(port.name), "description": port.help}
            properties.setdefault(port.name, field | {"x-port": str(port.type)})
    return cast("dict[str, Any]", json.loads(json.dumps(schema, default=repr)))


def validate_config(
    node_type: NodeType[Any, Any], values: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Return the configuration as the function takes it: checked, converted, defaults applied.

    Raises:
        NodeError: A value is missing, unknown or of the wrong type; names the field.
    """
    try:
        made = config_model(node_type).model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise NodeError(
            f"{place}: {first['msg']}.",
            where=where,
            remedy=f"See `iaiflow nodes show {node_type.name}`.",
            code="config-invalid",
        ) from None
    return {field.name: getattr(made, f"field_{field.name}") for field in node_type.fields}
