"""Requests that look at values, logs and settings; nothing is changed by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from iaiflow_lab.canvas import bindings
from iaiflow_lab.canvas.desk import Answer, Desk
from iaiflow_lab.canvas.fold import line_path
from iaiflow_lab.canvas.previews import preview
from iaiflow_lab.canvas.views import view
from iaiflow_lab.errors import FlowError, InputError, LabError, NotFoundError
from iaiflow_lab.model import template
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.version import is_body
from iaiflow_lab.sdk import values

#: Largest value that is pinned, in characters of JSON: it is kept in the flow's file.
_LARGEST_PIN: Final = 1_000_000
#: Lines of a log in one answer.
_LINES: Final = 5_000


def value(
    desk: Desk, path: str, kind: str, port: str, *, offset: int = 0, limit: int = 100
) -> Answer:
    """Return a part of one input or output of a step; port "" means all inputs by name."""
    step = desk.board.step_at(path)
    if kind == "output":
        return view(_output(desk, path, port), _type(desk, step, port), offset=offset, limit=limit)
    arrived = _inputs(desk, step)
    if not port:
        return view(arrived, offset=offset, limit=limit)
    found = _at(arrived, port, f"Node {path!r} got no input {port!r}.")
    return view(found, desk.board.input_type(step, port), offset=offset, limit=limit)


def ports(desk: Desk, path: str) -> dict[str, Any]:
    """Return all inputs and outputs of a step in short."""
    step = desk.board.step_at(path)
    return {
        "inputs": {
            name: preview(found, desk.board.input_type(step, name))
            for name, found in _inputs(desk, step).items()
        },
        "outputs": {
            port: preview(found, _type(desk, step, port))
            for port, found in desk.board.outputs(step).items()
        },
    }


def pin_value(desk: Desk, path: str, port: str) -> Any:
    """Return an output as JSON, to be kept in the flow.

    Raises:
        InputError: It is none, or too large.
    """
    import msgspec

    found = _output(desk, path, port)
    if hasattr(found, "model_dump"):
        found = found.model_dump(mode="json")
    if not values.is_json(found):
        raise InputError(
            f"Output {port!r} of {path!r} is a {type(found).__name__}; only JSON can be pinned.",
            remedy="Pin a node after it that gives text, numbers, lists or objects.",
        )
    if (size := len(msgspec.json.encode(found))) > _LARGEST_PIN:
        raise InputError(
            f"Output {port!r} of {path!r} is too large to be pinned ({size / 1e6:,.1f} MB).",
            remedy="Keep data in files of its own and read them with a node.",
        )
    return found


def bind(desk: Desk, path: str, port: str) -> dict[str, str]:
    """Give the notebook a variable with the live object."""
    step = desk.board.step_at(path)
    flow = desk.board.flow or Flow("")
    label = bindings.label(flow, desk.subject.file)
    return bindings.bind(_output(desk, path, port), label, step, port)


def logs(desk: Desk, path: str, offset: int, limit: int) -> dict[str, Any]:
    """Return lines of all that a node wrote in the present run, its items included."""
    first, count = max(0, offset), min(max(0, limit), _LINES)
    run_id = desk.board.fold_state.run.values["run_id"]
    lines, total = _recorded(desk, run_id, path, first, count) if run_id else ([], 0)
    return {"lines": lines, "total": total}


def resolved(desk: Desk, flow: Flow, path: str) -> dict[str, Any]:
    """Return the configuration of a node as it gets it: with defaults and parameters."""
    node = _node(flow, path)
    signature = desk.catalog.signature(node.type)
    if signature is None:
        return dict(node.config)
    properties = cast("dict[str, dict[str, Any]]", signature.config_schema.get("properties", {}))
    config = {name: spec["default"] for name, spec in properties.items() if "default" in spec}
    config |= node.config
    arrived = _arrived_or_nothing(desk, path)
    config |= {name: _plain(found) for name, found in arrived.items() if name in properties}
    defaults = {n: s["default"] for n, s in flow.parameters.items() if "default" in s}
    names = {**arrived, "params": defaults | dict(desk.board.inputs)}
    for name in signature.templates:
        if isinstance(text := config.get(name), str):
            config[name] = _rendered(text, names)
    return config


def steps(desk: Desk) -> dict[str, Any]:
    """Return the steps of the present run for the timeline."""
    with desk.board.lock:
        desk.board.fold()
        fold = desk.board.fold_state
        return {"steps": [dict(step) for step in fold.steps.values()], "cut": fold.is_cut}


def _output(desk: Desk, path: str, port: str) -> Any:
    outputs = desk.board.outputs(desk.board.step_at(path))
    return _at(outputs, port, f"Node {path!r} has no value at its output {port!r}.")


def _inputs(desk: Desk, step: str) -> Mapping[str, Any]:
    return desk.board.arrived(step)


def _type(desk: Desk, step: str, port: str) -> str:
    return desk.board.port_type(step, port)


def _at(found: Mapping[str, Any], name: str, missing: str) -> Any:
    if name not in found:
        raise NotFoundError(missing, remedy=did_you_mean(name, found))
    return found[name]


def _arrived_or_nothing(desk: Desk, path: str) -> Mapping[str, Any]:
    try:
        return desk.board.arrived(desk.board.step_at(path))
    except NotFoundError:
        return {}


def _plain(found: Any) -> Any:
    """Return a value as JSON; of what is none, or large, what it is."""
    shown = preview(found)
    if shown["kind"] == "json" and not shown["cut"]:
        return found
    return shown.get("text", f"<{shown['kind']}>")


def _rendered(text: str, names: Mapping[str, Any]) -> Any:
    """Return a template with its values; as it is written where one is not known yet."""
    try:
        return template.parse(text).render(names)
    except (LabError, LookupError, TypeError):
        return text


def _recorded(desk: Desk, run_id: str, path: str, offset: int, limit: int) -> tuple[list[str], int]:
    from iaiflow_lab.service import history

    def is_wanted(step: str) -> bool:
        return path in (step, line_path(step))

    try:
        return history.log_page(desk.workspace, run_id, is_wanted, offset, limit)
    except NotFoundError:  # it belongs to a run that is recorded elsewhere
        with desk.board.lock:
            lines = desk.board.fold_state.line(path).log.text().splitlines()
        return lines[offset : offset + limit], len(lines)


def _node(flow: Flow, path: str) -> Node:
    """Return a node by its path; those of nested flows stand below theirs."""
    first, _, rest = path.partition("/")
    node = flow.nodes.get(first.partition("[")[0])
    if node is None:
        raise NotFoundError(f"There is no node {path!r}.", remedy=did_you_mean(first, flow.nodes))
    if not rest:
        return node
    bodies = [body for name, body in node.config.items() if is_body(name, body)]
    for body in bodies:
        try:
            return _node(from_data(body, nested=True), rest)
        except (FlowError, NotFoundError):
            continue
    raise NotFoundError(f"There is no node {path!r} in this file.")
