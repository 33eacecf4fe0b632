"""The parameters of a notebook: what the cell tagged `parameters` assigns, as typed specs."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from iaiflow_lab import syntax
from iaiflow_lab.errors import InputError, NotebookError
from iaiflow_lab.model import names, parameters
from iaiflow_lab.model.json_value import find_fault
from iaiflow_lab.notebook.document import Notebook, source_of

#: The tag of the cell that holds the parameters, as papermill has it.
TAG: Final = "parameters"
#: The warning for values given to a notebook without such a cell.
INJECTED_AT_TOP: Final = (
    "The notebook has no cell tagged 'parameters': parameters will be injected at the top."
)

Spec = Mapping[str, Any]

_TYPES: dict[str, Spec] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "List": {"type": "array"},
    "tuple": {"type": "array"},
    "Sequence": {"type": "array"},
    "dict": {"type": "object"},
    "Dict": {"type": "object"},
    "Mapping": {"type": "object"},
    "None": {"type": "null"},
}
_LISTS = frozenset({"list", "List", "Sequence"})
#: Stands for a value that is computed, or that JSON can't hold.
_NOT_JSON: Final = object()


@dataclass(frozen=True, slots=True)
class NotebookParameters:
    """What may be given to a notebook run."""

    #: JSON Schema by name, in the cell's order; `default` is there when it is a plain value.
    specs: Mapping[str, Spec] = field(default_factory=dict[str, Spec])
    #: Names that the cell declares without a value.
    required: frozenset[str] = frozenset()
    #: Whether the specs name every parameter; if not, any other Python name is taken too.
    closed: bool = False
    #: What the user should know before giving values; "" when nothing.
    warning: str = ""

    def specs_for(self, given: Iterable[str]) -> dict[str, Spec]:
        """Return the specs that a call with these names is checked against."""
        given = set(given)
        if not self.closed:
            return {**self.specs, **{name: {} for name in given - self.specs.keys()}}
        return dict(self.specs)


def parameters_of(notebook: Notebook) -> NotebookParameters:
    """Read the parameters from a notebook, without executing anything.

    Raises:
        NotebookError: The parameters cell is not valid Python.
    """
    index = notebook.tagged(TAG)
    if index is None:
        return NotebookParameters(warning=INJECTED_AT_TOP)
    if notebook.language not in ("", "python"):
        return NotebookParameters()
    source = source_of(notebook.cells[index])
    try:
        body = syntax.parse(_without_magics(source)).body
    except (SyntaxError, ValueError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise NotebookError(
            f"The parameters cell is not valid Python: {getattr(error, 'msg', error)}.",
            where=f"{notebook.path}, cell {index + 1}{line}",
            remedy="Leave only assignments such as `limit = 10` in it.",
            code="parameters-cell-invalid",
        ) from None
    found = dict(_declared(body, _comments(source)))
    specs = {name: spec for name, (spec, _) in found.items()}
    required = frozenset(name for name, (_, has_value) in found.items() if not has_value)
    return NotebookParameters(specs, required, closed=True)


def check_parameters(notebook: Notebook, values: Mapping[str, Any]) -> dict[str, Any]:
    """Check values for a notebook run and return those to inject.

    What is not given keeps the value that the parameters cell assigns.

    Args:
        notebook: The notebook.
        values: JSON values by parameter name.

    Raises:
        InputError: A name is unknown or no Python name, a value is missing, no JSON value, or not
            of the parameter's type.
        NotebookError: The parameters cell is not valid Python.
    """
    for name, value in values.items():
        _check_value(name, value)
    known = parameters_of(notebook)
    specs = known.specs_for(values)
    unknown = [name for name in values if name not in specs]
    if unknown:
        raise _unknown(unknown[0], known, notebook)
    wanted = {name: specs[name] for name in specs if name in values or name in known.required}
    return parameters.bind(wanted, values)


def parse_arguments(notebook: Notebook, items: Iterable[str]) -> dict[str, Any]:
    """Read `name=value` arguments for a notebook run and check them.

    Raises:
        InputError: An argument has another form, or its value does not fit.
        NotebookError: The parameters cell is not valid Python.
    """
    items = list(items)
    known = parameters_of(notebook)
    given = [item.partition("=")[0] for item in items if "=" in item]
    for name in given:
        _check_name(name)
        if known.closed and name not in known.specs:
            raise _unknown(name, known, notebook)
    return check_parameters(notebook, parameters.parse_cli(items, known.specs_for(given)))


def _check_name(name: str) -> None:
    if not names.is_name(name):
        raise InputError(
            f"Parameter {names.shorten(name)!r} is not allowed.",
            where=f"parameters.{names.shorten(name)}",
            remedy="Parameter names must be Python names and not keywords.",
        )


def _check_value(name: str, value: Any) -> None:
    _check_name(name)
    if fault := find_fault(value):
        raise InputError(
            f"Parameter {name!r} can't be passed to a notebook: {fault.message}",
            where=f"parameters.{name}{fault.place and '.'}{fault.place}",
            remedy="Use JSON values.",
        )


def _unknown(name: str, known: NotebookParameters, notebook: Notebook) -> InputError:
    listed = f"Parameters: {names.listed(known.specs)}."
    return InputError(
        f"The notebook has no parameter {names.shorten(name)!r}.",
        where=str(notebook.path),
        remedy=names.did_you_mean(name, known.specs) or listed,
    )


def _without_magics(source: str) -> str:
    """Replace IPython's own lines by `pass`, so that the rest can be parsed."""
    lines = source.splitlines()
    return "\n".join(
        f"{line[: len(line) - len(line.lstrip())]}pass"
        if line.lstrip()[:1] in "%!?"
        else line
        if line.strip()
        else ""
        for line in lines
    )


def _declared(
    body: list[ast.stmt], comments: Mapping[int, str]
) -> Iterator[tuple[str, tuple[Spec, bool]]]:
    """Yield each name that is assigned, its spec, and whether it has a value."""
    for statement in body:
        note = comments.get(statement.end_lineno or 0, "")
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield target.id, (_spec(None, value, note), True)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                yield name, (_spec(annotation, value, note), value is not None)
            case _:
                continue


def _spec(annotation: ast.expr | None, value: ast.expr | None, comment: str) -> Spec:
    spec: dict[str, Any] = {}
    default = _literal(value)
    if annotation is not None:
        spec |= _annotated(annotation)
    elif default is not None:
        spec |= _TYPES.get(type(default).__name__, {})
    if default is not _NOT_JSON:
        spec["default"] = default
    if comment:
        spec["description"] = comment
    return spec


def _literal(expression: ast.expr | None) -> Any:
    """Return the JSON value that an expression spells; `_NOT_JSON` when it is none."""
    try:
        value: Any = ast.literal_eval(expression) if expression is not None else _NOT_JSON
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NOT_JSON
    if isinstance(value, tuple):
        value = list(cast("tuple[Any, ...]", value))
    return _NOT_JSON if find_fault(value) else value


def _annotated(annotation: ast.expr) -> Spec:
    """Return the schema that an annotation stands for; {} for one that says nothing to JSON."""
    match annotation:
        case ast.Constant(value=str(text)):
            return _annotated(_parsed(text))
        case ast.Constant(value=None):
            return _TYPES["None"]
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _TYPES.get(name, {})
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            return _generic(name, inner)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _either([left, right])
        case _:
            return {}


def _parsed(text: str) -> ast.expr:
    try:
        return syntax.parse_expression(text)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Constant(value=...)


def _generic(name: str, inner: ast.expr) -> Spec:
    members = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Optional":
        return _either([*members, ast.Constant(value=None)])
    if name == "Union":
        return _either(members)
    if name == "Literal":
        return {"enum": [item.value for item in members if isinstance(item, ast.Constant)]}
    if name in _LISTS and (items := _annotated(members[0])):
        return {"type": "array", "items": items}
    if name == "Annotated":
        return _annotated(members[0])
    return _TYPES.get(name, {})


def _either(members: list[ast.expr]) -> Spec:
    options = [_annotated(member) for member in members]
    return {"anyOf": options} if all(options) else {}


def _comments(source: str) -> dict[int, str]:
    """Return the comment at the end of each line, by line number."""
    found: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.lstrip("#").strip()
    except (tokenize.TokenError, IndentationError):
        return found
    return found
