"""A flow's parameters: reading values from the command line, checking them, applying defaults."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from iaiflow_lab.errors import InputError
from iaiflow_lab.model import names
from iaiflow_lab.model.json_schema import JSON_TYPES, port_schema, violations
from iaiflow_lab.model.json_value import find_fault, spell_place, unique_object
from iaiflow_lab.model.types import ANY, PortType, parse_type

Spec = Mapping[str, Any]

_PORT_OF_JSON_TYPE = {
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "json",
    "object": "json",
}
#: Port types whose values are no JSON; they reach a parameter only from inside a run.
_LIVE = frozenset({"table", "image", "bytes", "message", "any", "model"})
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parameter_type(spec: Spec) -> PortType:
    """Return the port type of a parameter; `any` when its spec does not tell."""
    written = spec.get("type")
    if not isinstance(written, str):
        return ANY
    try:
        return parse_type(_PORT_OF_JSON_TYPE.get(written, written))
    except ValueError:
        return ANY


def is_required(spec: Spec) -> bool:
    """Say whether a run must give the parameter a value."""
    return "default" not in spec


def value_schema(spec: Spec) -> dict[str, Any]:
    """Return the spec as plain JSON Schema, port types replaced by what they accept."""
    schema = {key: value for key, value in spec.items() if key != "default"}
    written = spec.get("type")
    if isinstance(written, str) and written not in JSON_TYPES:
        del schema["type"]
        schema |= port_schema(parameter_type(spec))
    return schema


def bind(specs: Mapping[str, Spec], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every parameter: what was given, else its default.

    Args:
        specs: The flow's parameters.
        inputs: Values by name.

    Raises:
        InputError: A value is missing, unknown, not JSON, or not what the spec asks for.
    """
    for name in inputs:
        if name not in specs:
            raise _unknown(name, specs)
    return {name: _bound(name, spec, inputs) for name, spec in specs.items()}


def _bound(name: str, spec: Spec, inputs: Mapping[str, Any]) -> Any:
    if not names.is_name(name):
        raise InputError(
            f"Parameter {names.shorten(name)!r} is not allowed.",
            where=f"parameters.{names.shorten(name)}",
            remedy="Parameter names must be Python names and not keywords.",
        )
    if name not in inputs:
        if is_required(spec):
            raise InputError(
                f"Parameter {name!r} is required.",
                where=f"parameters.{name}",
                remedy=f"Give it a value: {name}=...",
            )
        return spec["default"]
    value = inputs[name]
    if not is_live(spec):
        _check(name, value, spec)
    return value


def is_live(spec: Spec) -> bool:
    """Say whether values of the parameter may be other objects than JSON, such as tables."""
    port_type = parameter_type(spec)
    while port_type.item is not None:
        port_type = port_type.item
    return "type" in spec and port_type.name in _LIVE


def _check(name: str, value: Any, spec: Spec) -> None:
    if fault := find_fault(value):
        raise InputError(
            f"Parameter {name!r} can't be passed on: {fault.message}",
            where=f"parameters.{name}{fault.place and '.'}{fault.place}",
            remedy="Use JSON values.",
        )
    for violation in violations(value, value_schema(spec)):
        place = spell_place(("parameters", name, *violation.path))
        subject = spell_place((name, *violation.path))
        raise InputError(f"Parameter {subject!r} {violation.message}", where=place)


def parse_cli(items: Iterable[str], specs: Mapping[str, Spec]) -> dict[str, Any]:
    """Read `key=value` arguments, each value as its parameter's spec says.

    Raises:
        InputError: An argument has another form, names no parameter, or can't be read.
    """
    values: dict[str, Any] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals:
            raise InputError(
                f"{names.shorten(item)!r} is not of the form name=value.",
                remedy="Write for example: topic=DuckDB",
            )
        if name not in specs:
            raise _unknown(name, specs)
        if name in values:
            raise InputError(f"Parameter {name!r} is given twice.", where=f"parameters.{name}")
        values[name] = read_text(name, text, specs[name])
    return values


def read_text(name: str, text: str, spec: Spec) -> Any:
    """Return the value that `text` stands for, by the type in `spec`.

    Raises:
        InputError: The text is no value of that type.
    """
    written = spec.get("type")
    port_type = parameter_type(spec)
    if port_type.name in ("text", "file"):
        return text
    if port_type.name == "boolean":
        if text.strip().lower() in _WORDS:
            return _WORDS[text.strip().lower()]
        raise _unreadable(name, text, "true or false")
    if port_type.name == "number":
        return _read_number(name, text, whole=written == "integer")
    return _read_json(name, text, strict=port_type is not ANY or isinstance(written, str))


def _read_number(name: str, text: str, *, whole: bool) -> float:
    wanted = "a whole number" if whole else "a number"
    try:
        # `int` refuses thousands of digits by itself, and `float` turns them into infinity.
        value = int(text) if whole or text.strip().lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise _unreadable(name, text, wanted) from None
    if not math.isfinite(value):
        raise _unreadable(name, text, "a finite number")
    return value


def _read_json(name: str, text: str, *, strict: bool) -> Any:
    try:
        return json.loads(text, object_pairs_hook=unique_object)
    except (ValueError, RecursionError):
        if strict:
            raise _unreadable(name, text, 'JSON, such as ["a", "b"]') from None
        return text


def _unreadable(name: str, text: str, wanted: str) -> InputError:
    return InputError(
        f"Parameter {name!r} must be {wanted}, found {names.shorten(text)!r}.",
        where=f"parameters.{name}",
    )


def _unknown(name: str, specs: Mapping[str, Spec]) -> InputError:
    hint = names.did_you_mean(name, specs) or f"Parameters: {names.listed(specs)}."
    return InputError(
        f"The flow has no parameter {names.shorten(name)!r}.", where="parameters", remedy=hint
    )
