"""Checking JSON values against the part of JSON Schema that forms and parameters use.

Known: type, enum, const, properties, required, additionalProperties, items, prefixItems, bounds of
numbers, texts, lists and objects, pattern, uniqueItems, anyOf, oneOf, allOf, `$ref` into the same
schema, and `x-port` (a port type instead of a `type`). Other keywords say nothing.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from iaiflow_lab.model import names
from iaiflow_lab.model.json_value import kind
from iaiflow_lab.model.types import PortType, parse_type

Schema = Mapping[str, Any]

#: Most sub-schemas looked at for one value; a schema may refer to itself.
_BUDGET = 100_000
#: Deepest chain of references and alternatives.
_MAX_DEPTH = 200

_TYPE_NAMES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
#: The type names of JSON Schema.
JSON_TYPES = frozenset(_TYPE_NAMES)
#: What a configured value must be to stand in for a port.
_PORT_SCHEMAS: dict[str, Schema] = {
    "text": {"type": "string"},
    "file": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a value is not what its schema asks for."""

    #: Keys and indexes from the value's top.
    path: tuple[str | int, ...]
    #: What follows the value's name in a sentence: `must be a number, found a text.`
    message: str


def violations(value: Any, schema: Schema) -> Iterator[Violation]:
    """Yield how `value` breaks `schema`, outermost first; nothing when it fits."""
    for found in _Checker(schema).check(value, schema, (), 0):
        end = "" if found.message.endswith((".", "?")) else "."
        yield Violation(found.path, found.message + end)


def port_schema(port_type: PortType) -> Schema:
    """Return the schema of the JSON values that may stand in for a port of this type."""
    if port_type.item is not None:
        return {"type": "array", "items": port_schema(port_type.item)}
    return _PORT_SCHEMAS.get(port_type.name, {})


@dataclass(slots=True)
class _Checker:
    root: Schema
    left: int = _BUDGET
    patterns: dict[str, re.Pattern[str] | None] = field(
        default_factory=dict[str, "re.Pattern[str] | None"]
    )

    def check(
        self, value: Any, schema: Any, path: tuple[str | int, ...], depth: int
    ) -> Iterator[Violation]:
        """Yield the violations of one value by one sub-schema."""
        self.left -= 1
        if self.left < 0 or depth > _MAX_DEPTH:
            return
        if schema is False:
            yield Violation(path, "is not allowed here")
        if not isinstance(schema, Mapping):
            return
        rules = cast("Schema", schema)
        if not _fits_type(value, rules.get("type")):
            yield Violation(path, f"must be {_type_text(rules['type'])}, found {kind(value)}")
            return
        yield from self._references(value, rules, path, depth)
        yield from (Violation(path, message) for message in self._own(value, rules))
        if isinstance(value, dict):
            yield from self._object(cast("dict[str, Any]", value), rules, path, depth)
        elif isinstance(value, list):
            yield from self._list(cast("list[Any]", value), rules, path, depth)

    def _references(
        self, value: Any, rules: Schema, path: tuple[str | int, ...], depth: int
    ) -> Iterator[Violation]:
        if isinstance(target := rules.get("$ref"), str):
            yield from self.check(value, self._resolve(target), path, depth + 1)
        if isinstance(port := rules.get("x-port"), str):
            yield from self.check(value, _schema_of_port(port), path, depth + 1)
        for part in _schemas(rules, "allOf"):
            yield from self.check(value, part, path, depth + 1)
        for key in ("anyOf", "oneOf"):
            if options := _schemas(rules, key):
                yield from self._any_of(value, options, path, depth)

    def _any_of(
        self, value: Any, options: list[Any], path: tuple[str | int, ...], depth: int
    ) -> Iterator[Violation]:
        """Report the option that comes nearest: of its kind, or with the deepest complaint."""
        of_kind = [one for one in options if _fits_type(value, self._deref(one).get("type"))]
        if len(of_kind) == 1:
            yield from self.check(value, of_kind[0], path, depth + 1)
            return
        nearest: list[Violation] = []
        for option in options:
            found = list(self.check(value, option, path, depth + 1))
            if not found:
                return
            if not nearest or len(found[0].path) > len(nearest[0].path):
                nearest = found
        wanted = [_type_text(self._deref(option).get("type")) for option in options]
        if len(nearest[0].path) == len(path) and all(wanted):
            yield Violation(path, f"must be {' or '.join(wanted)}, found {kind(value)}")
        else:
            yield from nearest

    def _deref(self, schema: Any) -> Schema:
        for _ in range(_MAX_DEPTH):
            if not isinstance(schema, Mapping):
                return {}
            rules = cast("Schema", schema)
            if not isinstance(target := rules.get("$ref"), str):
                return rules
            schema = self._resolve(target)
        return {}

    def _resolve(self, reference: str) -> Any:
        found: Any = self.root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            found = cast("Schema", found).get(key) if isinstance(found, Mapping) else None
        return found

    def _own(self, value: Any, rules: Schema) -> Iterator[str]:
        """Yield the complaints about the value itself, as ends of a sentence."""
        options = rules.get("enum")
        if isinstance(options, list) and not _among(value, cast("list[Any]", options)):
            known = cast("list[Any]", options)
            hint = names.did_you_mean(value, map(str, known)) if isinstance(value, str) else ""
            yield f"must be one of {names.listed(map(_show, known), 20)}{hint and '. '}{hint}"
        if "const" in rules and not _among(value, [rules["const"]]):
            yield f"must be {_show(rules['const'])}"
        if isinstance(value, str):
            yield from _bounds(len(value), rules, "Length", " characters long")
            yield from self._pattern(value, rules.get("pattern"))
        elif isinstance(value, list):
            yield from _bounds(len(cast("list[Any]", value)), rules, "Items", " items long")
            if rules.get("uniqueItems") is True and _repeats(cast("list[Any]", value)):
                yield "must not hold an item twice"
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield from _range(value, rules)

    def _pattern(self, value: str, pattern: Any) -> Iterator[str]:
        if not isinstance(pattern, str):
            return
        if pattern not in self.patterns:
            self.patterns[pattern] = compile_pattern(pattern)
        compiled = self.patterns[pattern]
        if compiled is not None and not compiled.search(value):
            yield f"must match the pattern {pattern}"

    def _object(
        self, value: dict[str, Any], rules: Schema, path: tuple[str | int, ...], depth: int
    ) -> Iterator[Violation]:
        required = rules.get("required")
        for key in cast("list[Any]", required) if isinstance(required, list) else ():
            if isinstance(key, str) and key not in value:
                yield Violation((*path, key), "is required")
        properties = rules.get("properties")
        known: Schema = cast("Schema", properties) if isinstance(properties, Mapping) else {}
        further = rules.get("additionalProperties", True)
        for key, item in value.items():
            if key in known:
                yield from self.check(item, known[key], (*path, key), depth + 1)
            elif further is False:
                hint = names.did_you_mean(key, known) or f"Known: {names.listed(known, 20)}."
                yield Violation((*path, key), f"is not known. {hint}")
            else:
                yield from self.check(item, further, (*path, key), depth + 1)

    def _list(
        self, value: list[Any], rules: Schema, path: tuple[str | int, ...], depth: int
    ) -> Iterator[Violation]:
        first = _schemas(rules, "prefixItems")
        for index, item in enumerate(value):
            schema = first[index] if index < len(first) else rules.get("items", True)
            yield from self.check(item, schema, (*path, index), depth + 1)


def compile_pattern(pattern: str) -> re.Pattern[str] | None:
    """Return the compiled pattern; None when it is not one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_IS_TYPE: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _fits_type(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_fits_type(value, one) for one in cast("list[Any]", wanted))
    is_type = _IS_TYPE.get(wanted) if isinstance(wanted, str) else None
    return is_type is None or is_type(value)


def _type_text(wanted: Any) -> str:
    if isinstance(wanted, list):
        return " or ".join(_type_text(one) for one in cast("list[Any]", wanted))
    return _TYPE_NAMES.get(wanted, "") if isinstance(wanted, str) else ""


def _schema_of_port(spelling: str) -> Schema:
    try:
        return port_schema(parse_type(spelling))
    except ValueError:
        return {}


def _schemas(rules: Schema, key: str) -> list[Any]:
    value = rules.get(key)
    return cast("list[Any]", value) if isinstance(value, list) else []


def _bounds(size: int, rules: Schema, noun: str, what: str) -> Iterator[str]:
    low, high = rules.get(f"min{noun}"), rules.get(f"max{noun}")
    if isinstance(low, int) and size < low:
        yield f"must be at least {low}{what}"
    if isinstance(high, int) and size > high:
        yield f"must be at most {high}{what}"


def _range(value: float, rules: Schema) -> Iterator[str]:
    def bound(key: str) -> float | None:
        limit = rules.get(key)
        return limit if isinstance(limit, int | float) and not isinstance(limit, bool) else None

    if (limit := bound("minimum")) is not None and value < limit:
        yield f"must be at least {limit}"
    if (limit := bound("maximum")) is not None and value > limit:
        yield f"must be at most {limit}"
    if (limit := bound("exclusiveMinimum")) is not None and value <= limit:
        yield f"must be greater than {limit}"
    if (limit := bound("exclusiveMaximum")) is not None and value >= limit:
        yield f"must be less than {limit}"
    if (limit := bound("multipleOf")) and not _is_multiple(value, limit):
        yield f"must be a multiple of {limit}"


def _is_multiple(value: float, of: float) -> bool:
    share = value / of
    return math.isinf(share) or abs(share - round(share)) < 1e-9


def _among(value: Any, options: list[Any]) -> bool:
    return _identity(value) in map(_identity, options)


def _repeats(items: list[Any]) -> bool:
    return len(set(map(_identity, items))) < len(items)


def _identity(value: Any) -> str:
    """Return a text that is equal for equal values; as in JSON, 1 is 1.0 and true is not 1."""
    return json.dumps(_plain(value), sort_keys=True, default=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


def _show(value: Any) -> str:
    return names.shorten(json.dumps(value, ensure_ascii=False, default=repr))
