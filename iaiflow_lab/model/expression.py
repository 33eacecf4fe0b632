"""Conditions such as `len(rows) > 10 and params.region == "EU"`.

A small language with Python's spelling: literals, inputs by name, `params.NAME`, comparison,
arithmetic, `and`/`or`/`not`, `a if b else c`, `x["key"]`, and the functions in `FUNCTIONS`. Nothing
else exists: no attributes, no imports, no calls of anything that a value brings along.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from iaiflow_lab import syntax
from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model import names
from iaiflow_lab.model.flow import PARAMS
from iaiflow_lab.model.json_value import kind

#: Longest expression, in characters.
MAX_LENGTH = 2_000
#: Deepest nesting of an expression.
MAX_DEPTH = 50
#: Longest text or list that an expression may build.
MAX_SIZE = 1_000_000
#: Largest number that an expression may compute.
MAX_NUMBER = 2**63

_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


def _is_empty(value: Any) -> bool:
    return value is None or len(value) == 0


def _contains(value: Any, item: Any) -> bool:
    return item in _searched(value)


def _get(value: Any, key: Any, default: Any = None) -> Any:
    try:
        return _item(value, key)
    except (KeyError, IndexError):
        return default


def _round(value: Any, digits: int = 0) -> Any:
    return round(_number(value), digits) if digits else round(_number(value))


def _sum(values: Any) -> Any:
    return sum(_number(value) for value in _items(values))


def _to_number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else _number(value)


def _abs(value: Any) -> Any:
    return abs(_number(value))


def _startswith(text: Any, start: Any) -> bool:
    return _text(text).startswith(_text(start))


def _endswith(text: Any, end: Any) -> bool:
    return _text(text).endswith(_text(end))


def _lower(text: Any) -> str:
    return _text(text).lower()


def _upper(text: Any) -> str:
    return _text(text).upper()


def _strip(text: Any) -> str:
    return _text(text).strip()


def _min(*values: Any) -> Any:
    return min(_operands(values))


def _max(*values: Any) -> Any:
    return max(_operands(values))


#: What an expression may call.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": _abs,
    "contains": _contains,
    "endswith": _endswith,
    "get": _get,
    "is_empty": _is_empty,
    "len": len,
    "lower": _lower,
    "max": _max,
    "min": _min,
    "number": _to_number,
    "round": _round,
    "startswith": _startswith,
    "strip": _strip,
    "sum": _sum,
    "upper": _upper,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression."""

    #: As it was written.
    text: str
    #: The input ports that it takes values from.
    names: frozenset[str]
    #: The flow parameters that it takes values from.
    parameters: frozenset[str]
    #: Its tree; holds nothing outside the language.
    tree: ast.expr

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Return the value.

        Args:
            values: Inputs by port name, and the flow's parameters as `params`.

        Raises:
            NodeError: A value is missing, or an operation does not fit its values.
        """
        try:
            return _value(self.tree, values)
        except _MissingError as missing:
            raise self._failed(f"there is no {missing.args[0]}") from None
        except KeyError as error:
            raise self._failed(f"there is no key {error.args[0]!r}") from None
        except Exception as error:
            raise self._failed(str(error) or type(error).__name__) from error

    def _failed(self, why: str) -> NodeError:
        return NodeError(
            f"Expression {names.shorten(self.text)!r} has no value: {why.rstrip('.')}.",
            code="expression-failed",
        )


@lru_cache(maxsize=4096)
def compile(text: str) -> Expression:  # noqa: A001 - what `re.compile` is to patterns
    """Read an expression.

    Raises:
        FlowError: It is empty, too long, too deep, or outside the language; `where` is the column.
    """
    if len(text) > MAX_LENGTH:
        raise FlowError(f"An expression may have {MAX_LENGTH:,} characters at most.")
    reader = _Reader()
    tree = _parse(text)
    reader.check(tree, 0)
    return Expression(text, frozenset(reader.names), frozenset(reader.parameters), tree)


def _parse(text: str) -> ast.expr:
    try:
        return syntax.parse_expression(text.strip())
    except SyntaxError as error:
        column = error.offset or len(text.strip()) + 1
        raise _error("This is no expression", column) from None
    except (ValueError, RecursionError, MemoryError):
        raise _error("This is no expression", 1) from None


def _error(what: str, column: int, remedy: str = "") -> FlowError:
    return FlowError(f"{what}.", where=f"column {column}", remedy=remedy)


_BINARY: dict[type[ast.operator], tuple[str, Callable[[float, float], float]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", lambda a, b: a / b),
    ast.FloorDiv: ("//", lambda a, b: a // b),
    ast.Mod: ("%", operator.mod),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, value: _contains(value, item),
    ast.NotIn: lambda item, value: not _contains(value, item),
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_PLAIN = (
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.Compare,
    ast.IfExp,
    ast.Subscript,
    ast.List,
    ast.Tuple,
)
_WHAT = {
    ast.Attribute: 'Attributes can\'t be read; write x["key"]',
    ast.Lambda: "Functions can't be defined",
    ast.Slice: "Slices can't be taken",
    ast.Starred: "'*' can't be used",
    ast.JoinedStr: "f-strings can't be used",
    ast.NamedExpr: "':=' can't be used",
}


class _Reader:
    """Walks a tree once, refuses what is outside the language and collects the names."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.parameters: set[str] = set()

    def check(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _error(f"Nested deeper than {MAX_DEPTH} levels", node.col_offset + 1)
        if (parameter := _parameter(node)) is not None:
            self.parameters.add(parameter)
        elif isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Constant):
            self._constant(node)
        elif isinstance(node, ast.Call):
            self._call(node, depth)
        elif isinstance(node, _PLAIN):
            self._operators(node)
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.check(child, depth + 1)
        else:
            what = _WHAT.get(cast("Any", type(node)), "This can't be used in an expression")
            raise _error(what, node.col_offset + 1)

    def _name(self, node: ast.Name) -> None:
        if node.id == PARAMS:
            raise _error("'params' names no parameter", node.col_offset + 1, "Write params.x.")
        if node.id not in _CONSTANTS:
            self.names.add(node.id)

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bytes | complex) or value is ...:
            raise _error("Only numbers, texts, true, false and null exist", node.col_offset + 1)
        if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
            raise _error("The number is too large", node.col_offset + 1)

    def _call(self, node: ast.Call, depth: int) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            what = f"There is no function {name!r}" if name else "Only functions can be called"
            hint = names.did_you_mean(name, FUNCTIONS)
            known = hint or f"Functions: {', '.join(FUNCTIONS)}."
            raise _error(what, node.col_offset + 1, known)
        if node.keywords:
            raise _error("Arguments can't be named", node.col_offset + 1)
        for argument in node.args:
            self.check(argument, depth + 1)

    def _operators(self, node: ast.expr) -> None:
        if isinstance(node, ast.BinOp) and type(node.op) not in _BINARY:
            known = ", ".join(sign for sign, _ in _BINARY.values())
            raise _error("This operator does not exist", node.col_offset + 1, f"There are {known}.")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            raise _error("Operator '~' does not exist", node.col_offset + 1)


def _parameter(node: ast.expr) -> str | None:
    """Return the name in `params.NAME` or `params["NAME"]`; None for anything else."""
    if isinstance(node, ast.Attribute) and _is_params(node.value):
        return node.attr
    if isinstance(node, ast.Subscript) and _is_params(node.value):
        key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return key.value
    return None


def _is_params(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == PARAMS


class _MissingError(Exception):
    """An input or parameter that has no value."""


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    if (parameter := _parameter(node)) is not None:
        return _look_up(parameter, values.get(PARAMS, {}), "parameter")
    return _EVALUATE[type(node)](node, values)


def _name(node: ast.Name, values: Mapping[str, Any]) -> Any:
    if node.id in _CONSTANTS and node.id not in values:
        return _CONSTANTS[node.id]
    return _look_up(node.id, values, "input")


def _unary(node: ast.UnaryOp, values: Mapping[str, Any]) -> Any:
    value = _value(node.operand, values)
    if isinstance(node.op, ast.Not):
        return not value
    return -_number(value) if isinstance(node.op, ast.USub) else _number(value)


def _list(node: ast.List | ast.Tuple, values: Mapping[str, Any]) -> list[Any]:
    return [_value(item, values) for item in node.elts]


def _choice(node: ast.IfExp, values: Mapping[str, Any]) -> Any:
    return _value(node.body if _value(node.test, values) else node.orelse, values)


def _subscript(node: ast.Subscript, values: Mapping[str, Any]) -> Any:
    return _item(_value(node.value, values), _value(node.slice, values))


def _call(node: ast.Call, values: Mapping[str, Any]) -> Any:
    function = FUNCTIONS[cast("ast.Name", node.func).id]
    return _limited(function(*(_value(argument, values) for argument in node.args)))


def _look_up(name: str, values: Mapping[str, Any], what: str) -> Any:
    if name not in values:
        raise _MissingError(f"{what} {name!r}")
    return values[name]


def _bool_op(node: ast.BoolOp, values: Mapping[str, Any]) -> Any:
    stop = isinstance(node.op, ast.Or)
    value: Any = None
    for part in node.values:
        value = _value(part, values)
        if bool(value) is stop:
            break
    return value


def _compare(node: ast.Compare, values: Mapping[str, Any]) -> Any:
    left = _value(node.left, values)
    for sign, part in zip(node.ops, node.comparators, strict=True):
        right = _value(part, values)
        if not _COMPARE[type(sign)](left, right):
            return False
        left = right
    return True


def _binary(node: ast.BinOp, values: Mapping[str, Any]) -> Any:
    left, right = _value(node.left, values), _value(node.right, values)
    if isinstance(node.op, ast.Add) and _joins(left, right):
        return left + right
    return _limited(_BINARY[type(node.op)][1](_number(left), _number(right)))


def _joins(left: Any, right: Any) -> bool:
    """Say whether `+` puts two texts or two lists together."""
    same = type(left) is type(right) and type(left) in (str, list)
    if same and len(left) + len(right) > MAX_SIZE:
        raise ValueError("the result is too long")
    return same


def _limited(value: Any) -> Any:
    if isinstance(value, int | float) and not math.isnan(value) and abs(value) > MAX_NUMBER:
        raise ValueError("the number is too large")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise TypeError(f"{kind(value)} is no number")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{kind(value)} is no text")


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return cast("Sequence[Any]", value)
    raise TypeError(f"{kind(value)} is no list")


def _operands(values: Sequence[Any]) -> Sequence[Any]:
    return _items(values[0]) if len(values) == 1 else values


def _searched(value: Any) -> Any:
    if isinstance(value, str | list | tuple | Mapping):
        return cast("Any", value)
    raise TypeError(f"{kind(value)} holds no items")


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, Mapping) or (
        isinstance(value, str | list | tuple) and isinstance(key, int) and not isinstance(key, bool)
    ):
        return cast("Any", value)[key]
    raise TypeError(f"{kind(value)} has no item {key!r}")


_EVALUATE: dict[type[ast.expr], Callable[[Any, Mapping[str, Any]], Any]] = {
    ast.BinOp: _binary,
    ast.BoolOp: _bool_op,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.Constant: lambda node, _: node.value,
    ast.IfExp: _choice,
    ast.List: _list,
    ast.Name: _name,
    ast.Subscript: _subscript,
    ast.Tuple: _list,
    ast.UnaryOp: _unary,
}
