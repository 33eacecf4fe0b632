"""Branches of a flow, and where they meet again."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model import expression
from iaiflow_lab.sdk.annotations import Expression
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


class Branches(TypedDict, total=False):
    """One of the two is present; the branch behind the other is skipped."""

    true: Any
    false: Any


@node("if", category="Control", title="If")
def if_(ctx: Context, value: Any = None, *, condition: Expression, **inputs: Any) -> Branches:
    """Pass the value on to one of two branches.

    Args:
        value: What is passed on; the condition knows it as `value`.
        condition: An expression over the inputs and parameters, such as
            `len(value) > 0 and params.mail`.
        inputs: Further values for the condition, by name.
    """
    names = {**inputs, "value": value, "params": ctx.params}
    is_true = expression.compile(condition).evaluate(names)
    if not isinstance(is_true, bool):
        raise NodeError(
            f"The condition {condition!r} is neither true nor false but {is_true!r}.",
            remedy="Compare something, such as value > 0 or not is_empty(value).",
            code="expression-failed",
        )
    return {"true": value} if is_true else {"false": value}


@node("merge", category="Control", title="Merge")
def merge(values: list[Any], *, keep: Literal["first", "last", "all"] = "first") -> Any:
    """Bring branches together again; those that were skipped are left out.

    With the node's `join` set to `any` it goes on with the first value that arrives.

    Args:
        values: Wire each branch into this input.
        keep: The first or last value in the order of the edges, or all as a list.
    """
    if keep == "all":
        return values
    if not values:
        raise NodeError(
            "No branch brought a value.",
            remedy="Wire the branches into `values`.",
            code="nothing-to-merge",
        )
    return values[0] if keep == "first" else values[-1]
