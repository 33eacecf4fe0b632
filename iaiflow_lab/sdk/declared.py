"""Node types read from source, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast, get_args

from iaiflow_lab.model.signature import Effects, NodeSignature, Port
from iaiflow_lab.model.types import ANY

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef

#: Annotations that say how a configuration field is read.
_WIDGETS = {"Template": "template", "Expression": "expression", "Body": "body"}


@dataclass(frozen=True, slots=True)
class Declared:
    """A function or class decorated with `@node`."""

    #: The name in flow files; "" when the decorator gives none.
    name: str
    #: Where it stands.
    definition: Definition
    #: The decorator's named arguments that are plain values.
    options: dict[str, Any]

    @property
    def line(self) -> int:
        """The line of its first decorator."""
        return self.definition.decorator_list[0].lineno

    def signature(self) -> NodeSignature:
        """Return what the source tells: the names of ports and fields, but not their types."""
        call = _method(self.definition, "run")
        fields = [*_keyword_only(call), *_keyword_only(_method(self.definition, "__init__"))]
        if isinstance(self.definition, Function):
            fields = _keyword_only(self.definition)
        text = ast.get_docstring(self.definition) or ""
        widgets = {name: _widget(annotation) for name, annotation, _ in fields}
        free = call is not None and call.args.kwarg is not None
        return NodeSignature(
            type=self.name,
            version=self.options.get("version", 1),
            category=self.options.get("category", "Custom"),
            title=self.options.get("title", "") or self.name,
            summary=text.partition("\n")[0],
            help=text.partition("\nArgs:")[0].strip(),
            inputs=tuple(_inputs(call, is_method=isinstance(self.definition, ast.ClassDef))),
            outputs=(),
            config_schema={
                "type": "object",
                "properties": {name: {} for name, _, _ in fields},
                "required": [name for name, _, required in fields if required],
                "additionalProperties": True,
            },
            config_ports={name: Port(name, ANY, required=required) for name, _, required in fields},
            free_inputs=ANY if free else None,
            free_outputs=ANY,
            templates=tuple(name for name, widget in widgets.items() if widget == "template"),
            expressions=tuple(name for name, widget in widgets.items() if widget == "expression"),
            bodies=tuple(name for name, widget in widgets.items() if widget == "body"),
            secrets=tuple(name for name, widget in widgets.items() if widget == "secret"),
            effects=self.options.get("effects", "none"),
            untrusted=self._gives_strangers(call, has_bodies="body" in widgets.values()),
        )

    def _gives_strangers(self, call: Function | None, *, has_bodies: bool) -> bool:
        told = self.options.get("untrusted")
        if told is not None:
            return told
        returns = None if call is None else call.returns
        expands = returns is not None and "Expand" in ast.unparse(returns)
        return self.options.get("effects", "none") != "none" or (expands and not has_bodies)


def declared(tree: ast.Module) -> Iterator[Declared]:
    """Yield what a module decorates with `@node`, in order."""
    for statement in tree.body:
        if isinstance(statement, Definition):
            for decorator in statement.decorator_list:
                if (found := _read(decorator)) is not None:
                    yield Declared(found[0], statement, found[1])
                    break


def _read(decorator: ast.expr) -> tuple[str, dict[str, Any]] | None:
    """Return the name and options of a `@node` decorator; None for another one."""
    call = decorator if isinstance(decorator, ast.Call) else None
    target = call.func if call else decorator
    called = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    if called != "node":
        return None
    if call is None:
        return "", {}
    names = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    options = {
        keyword.arg: keyword.value.value
        for keyword in call.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant) and _fits(keyword)
    }
    return (names[0] if names and isinstance(names[0], str) else ""), options


def _fits(keyword: ast.keyword) -> bool:
    """Say whether an option is what `node` takes; importing the file reports the others."""
    value = cast("ast.Constant", keyword.value).value
    if keyword.arg == "version":
        return type(value) is int and value >= 1
    if keyword.arg == "untrusted":
        return value is None or isinstance(value, bool)
    return value in get_args(Effects) if keyword.arg == "effects" else isinstance(value, str)


def _method(definition: Definition, name: str) -> Function | None:
    """Return the function itself, or the method of that name of a class."""
    if isinstance(definition, Function):
        return definition
    methods = (item for item in definition.body if isinstance(item, Function))
    return next((item for item in methods if item.name == name), None)


def _inputs(call: Function | None, *, is_method: bool) -> Iterator[Port]:
    if call is None:
        return
    positional = [*call.args.posonlyargs, *call.args.args]
    first_default = len(positional) - len(call.args.defaults)
    for index, argument in enumerate(positional):
        if not (is_method and index == 0) and not _is_context(argument.annotation):
            yield Port(argument.arg, ANY, required=index < first_default)


def _keyword_only(call: Function | None) -> list[tuple[str, ast.expr | None, bool]]:
    """Return name, annotation and whether it is required of each configuration field."""
    if call is None:
        return []
    pairs = zip(call.args.kwonlyargs, call.args.kw_defaults, strict=True)
    return [
        (argument.arg, argument.annotation, default is None)
        for argument, default in pairs
        if not _is_context(argument.annotation)
    ]


def _is_context(annotation: ast.expr | None) -> bool:
    return _last_name(annotation) == "Context"


def _widget(annotation: ast.expr | None) -> str:
    return _WIDGETS.get(_last_name(annotation), "")


def _last_name(annotation: ast.expr | None) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value.rpartition(".")[2]
    if isinstance(annotation, ast.Attribute):
        return annotation.attr
    return annotation.id if isinstance(annotation, ast.Name) else ""
