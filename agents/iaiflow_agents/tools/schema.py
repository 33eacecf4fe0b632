"""Arguments of a typed Python function: their JSON Schema, and their validation by pydantic."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from iaiflow_agents.tools.tool import ToolCall
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.names import shorten
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import NodeType

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

#: Most wrong arguments that are told at once.
_MOST_LINES: Final = 20
_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ArgumentsError(NodeError):
    """What a model gave as arguments does not fit; the text says what is wrong with each."""

    code = "arguments-invalid"


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a function takes from a model."""

    #: JSON Schema of the arguments: an object.
    schema: Mapping[str, Any]
    #: What the function does: its docstring without sections.
    help: str
    #: Parameters that a model does not give, with their types: `Context`, `ToolCall`.
    given: Mapping[str, type[Any]]
    _model: type[BaseModel]

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as the function takes them: checked, converted, with defaults.

        Raises:
            ArgumentsError: Some are missing, unknown or wrong.
        """
        from pydantic import ValidationError

        try:
            made = self._model.model_validate(dict(given))
        except ValidationError as error:
            raise ArgumentsError(wrong(_lines(error))) from None
        fields = type(made).model_fields
        return {str(field.alias): getattr(made, name) for name, field in fields.items()}


def arguments_of(function: Callable[..., Any]) -> Arguments:
    """Return what a function takes, read from its hints and its docstring.

    Raises:
        NodeError: An annotation can't be read, or a model can't give what it asks for.
    """
    described: NodeType[..., Any] = NodeType(_name(function), function)
    described.context_name  # noqa: B018  an annotation that can't be read is told of in one sentence
    hints = typing.get_type_hints(function, include_extras=True)
    given = {name: hint for name, hint in hints.items() if hint in (Context, ToolCall)}
    model = _model(described, hints, given)
    return Arguments(_schema(described.name, model), described.help, given, model)


def wrong(lines: list[str]) -> str:
    """Return what a model is told of arguments that don't fit, a line for each."""
    more = [f"- and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    told = [f"- {line}" for line in lines[:_MOST_LINES]] + more
    return "\n".join(["The arguments don't fit; nothing was done:", *told])


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _model(
    described: NodeType[..., Any], hints: Mapping[str, Any], given: Collection[str]
) -> type[BaseModel]:
    from pydantic import ConfigDict, Field, create_model
    from pydantic.errors import PydanticUserError

    fields: dict[str, Any] = {}
    for parameter in inspect.signature(described.target).parameters.values():
        if parameter.name in given:
            continue
        if parameter.kind not in _NAMED:
            raise _refused(described.name, f"{parameter} can't be given by name")
        is_required = parameter.default is inspect.Parameter.empty
        fields[f"field_{parameter.name}"] = (  # no name of a model's own can be in the way
            hints.get(parameter.name, Any),
            Field(
                ... if is_required else parameter.default,
                alias=parameter.name,
                description=described.argument_help.get(parameter.name),
            ),
        )
    try:
        return create_model(
            "Arguments",
            __config__=ConfigDict(extra="forbid", protected_namespaces=()),
            **fields,
        )
    except PydanticUserError as error:
        raise _refused(described.name, error.message.partition("\n")[0].rstrip(".")) from None


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    from pydantic.errors import PydanticInvalidForJsonSchema
    from pydantic.json_schema import GenerateJsonSchema

    class Quiet(GenerateJsonSchema):
        ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    try:
        schema = model.model_json_schema(schema_generator=Quiet)
    except PydanticInvalidForJsonSchema as error:
        raise _refused(name, error.message.partition("\n")[0].rstrip(".")) from None
    schema.pop("title", None)
    for each in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).values():
        each.pop("title", None)
    schema.setdefault("properties", {})
    return cast("dict[str, Any]", json.loads(json.dumps(schema, default=repr)))


def _refused(name: str, why: str) -> NodeError:
    return NodeError(
        f"The function {name!r} can't be a tool: {why}.",
        remedy="Use parameters that JSON can give: texts, numbers, lists, dicts, pydantic models.",
        code="tool-invalid",
    )


def _lines(error: ValidationError) -> list[str]:
    """Return one line for each wrong argument: where it is, what is wrong, what was given."""
    lines: list[str] = []
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"]) or "arguments"
        given = "" if fault["type"] == "missing" else f", not {_short(fault['input'])}"
        lines.append(f"{place}: {fault['msg'].rstrip('.')}{given}")
    return lines


def _short(value: Any) -> str:
    try:
        return shorten(json.dumps(value, ensure_ascii=False, default=repr), 80)
    except ValueError:  # it holds itself
        return shorten(repr(value), 80)
