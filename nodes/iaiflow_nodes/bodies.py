"""Flows inside flows: for each item, or once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict, cast

from annotated_types import Ge

from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.file import MAX_BYTES, SUFFIX, parse
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.names import listed
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.sdk.annotations import Body, Json
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand, Failed
from iaiflow_lab.sdk.values import is_table
from iaiflow_nodes import frames

#: The body's parameters that a map fills by itself.
_ITEM, _INDEX = "item", "index"


class Mapped(TypedDict):
    """What a map gives."""

    #: The result of each item, in order; None for one that failed.
    out: list[Any]
    #: `{"index", "message"}` of each item that failed.
    errors: list[Json]


@node("map", category="Control", title="Map")
def map_(
    items: Any,
    ctx: Context,
    *,
    body: Body,
    concurrency: Annotated[int, Ge(1)] = 8,
    keep_going: bool = False,
    **shared: Any,
) -> Mapped | Expand:
    """Run a flow once for each item of a list, or each row of a table.

    The body's parameter `item` takes the item (a row is an object by column) and `index` its
    position from 0. A body without `item` takes the entries of each item by name. The result of an
    item is the body's output, or an object when the body has several.

    Args:
        items: A list or a table.
        body: The flow, or the path of its file from this flow's folder on.
        concurrency: How many items run at once.
        keep_going: Whether an item that fails leaves the others running; `errors` lists those.
        shared: Values for further parameters of the body, the same for every item.
    """
    flow = _read_body(body, ctx)
    rows = _items(items)
    return Expand(
        body=flow,
        items=[_bound(flow, item, index, shared) for index, item in enumerate(rows)],
        collect=_gather,
        concurrency=concurrency,
        keep_going=keep_going,
    )


@node("subflow", category="Control", title="Subflow")
def subflow(ctx: Context, *, body: Body, **inputs: Any) -> Expand:
    """Run another flow as one node; its outputs are this node's.

    Args:
        body: The flow, or the path of its file from this flow's folder on.
        inputs: Values for the body's parameters, by name.
    """
    flow = _read_body(body, ctx)
    _check_names(flow, inputs)
    return Expand(body=flow, items=[inputs], collect=_only, indexed=False)


def _read_body(body: dict[str, Any] | str, ctx: Context) -> Flow:
    if not isinstance(body, str):
        return from_data(body, nested=True)
    if not body.endswith(SUFFIX):
        raise FlowError(f"{body!r} is no flow file.", remedy=f"Name a file that ends in {SUFFIX}.")
    file = safe_path(ctx.folder, body, must_exist=True)
    try:
        with file.open("rb") as stream:
            return parse(stream.read(MAX_BYTES + 1), where=body)
    except OSError as error:
        raise FlowError(f"The file can't be read: {error.strerror}.", where=body) from error


def _items(items: Any) -> Sequence[Any]:
    if is_table(items):
        return frames.eager(items, "items").to_dicts()
    if isinstance(items, Sequence) and not isinstance(items, str | bytes):
        return cast("Sequence[Any]", items)
    raise NodeError(
        f"A {type(items).__name__} has no items.",
        remedy="Wire a list or a table into `items`.",
        code="inputs-invalid",
    )


def _bound(flow: Flow, item: Any, index: int, shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the body's parameters for one item."""
    known = flow.parameters
    values = dict(shared)
    if _ITEM in known:
        values[_ITEM] = item
    elif isinstance(item, Mapping):
        entries = cast("Mapping[str, Any]", item)
        values |= {name: entries[name] for name in known if name in entries}
    if _INDEX in known:
        values[_INDEX] = index
    _check_names(flow, values)
    return values


def _check_names(flow: Flow, values: Mapping[str, Any]) -> None:
    known = flow.parameters
    for name in values:
        if name not in known:
            raise NodeError(
                f"The body has no parameter {name!r}; parameters: {listed(known)}.",
                remedy="Declare it in the body, or remove the wire.",
                code="inputs-invalid",
            )
    for name, spec in known.items():
        if name not in values and "default" not in spec:
            raise NodeError(
                f"The body's parameter {name!r} has no value.",
                remedy=f"Wire something into {name!r}, or give the parameter a default.",
                code="inputs-invalid",
            )


def _gather(results: Sequence[Mapping[str, Any] | Failed]) -> Mapping[str, Any]:
    errors = [
        {"index": index, "message": result.message}
        for index, result in enumerate(results)
        if isinstance(result, Failed)
    ]
    return {"out": [_single(result) for result in results], "errors": errors}


def _single(result: Mapping[str, Any] | Failed) -> Any:
    if isinstance(result, Failed):
        return None
    return next(iter(result.values())) if len(result) == 1 else dict(result)


def _only(results: Sequence[Mapping[str, Any] | Failed]) -> Mapping[str, Any]:
    (result,) = results
    return {} if isinstance(result, Failed) else result
