"""A flow as plain JSON data, and back. Reading checks the form; `model.rules` checks the sense."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import names
from iaiflow_lab.model.flow import FORMAT, Backoff, Edge, Flow, Join, Node, OnError, Retry
from iaiflow_lab.model.json_value import find_fault, kind

MAX_NODES = 10_000
MAX_EDGES = 50_000

#: Keys of a flow, in the order in which they are written.
FLOW_KEYS = (
    "$schema",
    "format",
    "name",
    "parameters",
    "nodes",
    "edges",
    "outputs",
    "layout",
    "notes",
    "groups",
)
#: Keys of a node, in the order in which they are written.
NODE_KEYS = (
    "type",
    "version",
    "title",
    "config",
    "retry",
    "timeout",
    "cache",
    "on_error",
    "join",
    "skip_if",
    "concurrency",
    "pin",
)
#: Keys of a node's `retry`, in the order in which they are written.
RETRY_KEYS = ("attempts", "backoff", "initial", "max", "jitter", "on")

_EDGE = re.compile(r"\s*([^\s.]+)\.([^\s.]+)\s*->\s*([^\s.]+)\.([^\s.]+)\s*\Z")
_FORMAT = re.compile(r"iaiflow/(\d{1,9})\Z")

_Object = Mapping[str, Any]


def to_data(flow: Flow) -> dict[str, Any]:
    """Return the flow as JSON data, in the order of the file, defaults left out."""
    data: dict[str, Any] = {
        "$schema": flow.schema_uri,
        "format": FORMAT,
        "name": flow.name,
        "parameters": {name: dict(spec) for name, spec in flow.parameters.items()},
        "nodes": {node_id: node_data(node) for node_id, node in flow.nodes.items()},
        "edges": [str(edge) for edge in flow.edges],
        "layout": {node_id: list(position) for node_id, position in flow.layout.items()},
        "notes": [dict(note) for note in flow.notes],
        "groups": [dict(group) for group in flow.groups],
    }
    if flow.outputs is not None:
        data["outputs"] = dict(flow.outputs)
    kept = {"format", "nodes", "outputs"}
    return {key: data[key] for key in FLOW_KEYS if key in kept & data.keys() or data.get(key)}


def node_data(node: Node) -> dict[str, Any]:
    """Return one node as JSON data, defaults left out."""
    data: dict[str, Any] = {"type": node.type}
    data |= _changed(node, _PLAIN_NODE, NODE_KEYS)
    if "config" in data:
        data["config"] = dict(node.config)
    if "retry" in data:
        data["retry"] = retry_data(node.retry)
    if node.pin is not None:
        data["pin"] = dict(node.pin)
    return data


def retry_data(retry: Retry) -> dict[str, Any]:
    """Return a retry policy as JSON data, defaults left out."""
    data = _changed(retry, Retry(), RETRY_KEYS)
    return data | {"on": list(retry.on)} if retry.on else data


_PLAIN_NODE = Node("")


def _changed(value: Node | Retry, default: Node | Retry, keys: Sequence[str]) -> dict[str, Any]:
    pairs = ((key, getattr(value, key)) for key in keys)
    return {key: item for key, item in pairs if item != getattr(default, key)}


def from_data(data: object, *, nested: bool = False) -> Flow:
    """Make a flow from JSON data; nothing is executed or imported.

    Args:
        data: What a flow file holds.
        nested: Whether it is the body of a node, which needs no `format`.

    Raises:
        FlowError: The form is wrong; `where` is the place, such as `nodes.clean.retry`.
    """
    if fault := find_fault(data):
        raise FlowError(fault.message, where=fault.place)
    if not isinstance(data, Mapping):
        raise FlowError(f"A flow must be an object, found {kind(data)}.")
    flow = cast("_Object", data)
    _check_format(flow, nested=nested)
    _check_keys(flow, FLOW_KEYS, "")
    return Flow(
        name=_text(flow, "name", ""),
        parameters=_objects(flow, "parameters"),
        nodes=_nodes(flow),
        edges=_edges(flow),
        outputs=_outputs(flow),
        layout=_layout(flow),
        notes=_object_list(flow, "notes"),
        groups=_object_list(flow, "groups"),
        schema_uri=_text(flow, "$schema", ""),
    )


def parse_edge(text: str, place: str = "") -> Edge:
    """Read `a.out -> b.in`.

    Raises:
        FlowError: The text has another form, or a name is not allowed.
    """
    match = _EDGE.match(text)
    if match is None:
        raise FlowError(
            f"Edge {names.shorten(text)!r} can't be read.",
            where=place,
            remedy="Write 'node.output -> node.input'.",
        )
    edge = Edge(*match.groups())
    for port in (edge.source_port, edge.target_port):
        if not names.is_name(port):
            raise FlowError(f"{names.shorten(port)!r} is no port name.", where=place)
    return edge


def _check_format(flow: _Object, *, nested: bool) -> None:
    written = flow.get("format", FORMAT if nested else None)
    match = _FORMAT.match(written) if isinstance(written, str) else None
    if match is None:
        raise FlowError(
            "This isn't a flow: 'format' is missing or unknown.",
            where="format",
            remedy=f'The first line of a flow is "format": "{FORMAT}".',
        )
    if int(match.group(1)) > int(FORMAT.partition("/")[2]):
        raise FlowError(
            f"Made by a newer IAI Flow Lab (format {written}; this one reads up to {FORMAT}).",
            where="format",
            remedy="Upgrade with `pip install -U iaiflow-lab`.",
        )


def _check_keys(data: _Object, known: Sequence[str], place: str) -> None:
    for key in data:
        if key not in known:
            hint = names.did_you_mean(key, known) or f"Known keys: {', '.join(known)}."
            raise FlowError(f"Unknown key {names.shorten(key)!r}.", where=place, remedy=hint)


def _nodes(flow: _Object) -> dict[str, Node]:
    nodes = _objects(flow, "nodes")
    _check_count(len(nodes), MAX_NODES, "nodes")
    for node_id in nodes:
        if fault := names.node_id_fault(node_id):
            raise FlowError(fault, where="nodes")
    return {node_id: _node(node, f"nodes.{node_id}") for node_id, node in nodes.items()}


def _node(data: _Object, place: str) -> Node:
    _check_keys(data, NODE_KEYS, place)
    if not data.get("type"):
        raise FlowError(
            "The node has no 'type'.",
            where=place,
            remedy="Name a node type; `iaiflow nodes ls` lists them.",
        )
    return Node(
        type=_text(data, "type", place),
        config=_object(data, "config", place),
        version=_integer(data, "version", place, default=1),
        title=_text(data, "title", place),
        retry=_retry(data, place),
        timeout=_number(data, "timeout", place, default=None),
        cache=_cache(data, place),
        on_error=_choice(data, "on_error", place, get_args(OnError), default="fail"),
        join=_choice(data, "join", place, get_args(Join), default="all"),
        skip_if=_text(data, "skip_if", place),
        concurrency=_integer(data, "concurrency", place, default=None),
        pin=None if data.get("pin") is None else _object(data, "pin", place),
    )


def _retry(node: _Object, place: str) -> Retry:
    return retry_from_data(_object(node, "retry", place), f"{place}.retry")


def retry_from_data(data: Mapping[str, Any], place: str = "retry") -> Retry:
    """Make a retry policy from JSON data.

    Raises:
        FlowError: A key is unknown or has a value of the wrong type.
    """
    _check_keys(data, RETRY_KEYS, place)
    plain = Retry()
    return Retry(
        attempts=_integer(data, "attempts", place, default=plain.attempts),
        backoff=_choice(data, "backoff", place, get_args(Backoff), default=plain.backoff),
        initial=_number(data, "initial", place, default=plain.initial),
        max=_number(data, "max", place, default=plain.max),
        jitter=_number(data, "jitter", place, default=plain.jitter),
        on=_texts(data, "on", place),
    )


def _cache(data: _Object, place: str) -> Any:
    value = data.get("cache", "auto")
    if value in ("auto", "off") or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise _wrong(f"{place}.cache", "'auto', 'off' or a number of seconds", value)


def _edges(flow: _Object) -> tuple[Edge, ...]:
    edges = flow.get("edges", [])
    if not isinstance(edges, list):
        raise _wrong("edges", "a list", edges)
    texts = cast("list[Any]", edges)
    _check_count(len(texts), MAX_EDGES, "edges")
    return tuple(_edge(text, f"edges[{index}]") for index, text in enumerate(texts))


def _edge(text: Any, place: str) -> Edge:
    if not isinstance(text, str):
        raise _wrong(place, "a text such as 'a.out -> b.text'", text)
    return parse_edge(text, place)


def _outputs(flow: _Object) -> dict[str, str] | None:
    if flow.get("outputs") is None:
        return None
    outputs = _object(flow, "outputs", "")
    return {name: _text(outputs, name, "outputs") for name in outputs}


def _layout(flow: _Object) -> dict[str, tuple[float, float]]:
    return {
        node_id: _position(position, f"layout.{node_id}")
        for node_id, position in _object(flow, "layout", "").items()
    }


def _position(value: Any, place: str) -> tuple[float, float]:
    pair = cast("list[Any]", value) if isinstance(value, list) else []
    numeric = all(isinstance(n, int | float) and not isinstance(n, bool) for n in pair)
    if len(pair) != 2 or not numeric:
        raise _wrong(place, "a pair of numbers [x, y]", value)
    return pair[0], pair[1]


def _check_count(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise FlowError(
            f"A flow may have {limit:,} {what} at most; this one has {count:,}.",
            where=what,
            remedy="Split it into subflows, or use a map.",
        )


def _objects(data: _Object, key: str) -> dict[str, _Object]:
    entries = _object(data, key, "")
    return {name: _object(entries, name, key) for name in entries}


def _object(data: _Object, key: str, place: str) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise _wrong(_inside(place, key), "an object", value)
    return cast("dict[str, Any]", value)


def _object_list(data: _Object, key: str) -> tuple[_Object, ...]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise _wrong(key, "a list", value)
    for index, item in enumerate(cast("list[Any]", value)):
        if not isinstance(item, dict):
            raise _wrong(f"{key}[{index}]", "an object", item)
    return tuple(cast("list[_Object]", value))


def _text(data: _Object, key: str, place: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise _wrong(_inside(place, key), "a text", value)
    return value


def _texts(data: _Object, key: str, place: str) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(
        isinstance(item, str) for item in cast("list[Any]", value)
    ):
        raise _wrong(_inside(place, key), "a list of texts", value)
    return tuple(cast("list[str]", value))


def _number(data: _Object, key: str, place: str, *, default: Any) -> Any:
    value = data.get(key, default)
    if value is default or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise _wrong(_inside(place, key), "a number", value)


def _integer(data: _Object, key: str, place: str, *, default: Any) -> Any:
    value = data.get(key, default)
    if value is default or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise _wrong(_inside(place, key), "a whole number", value)


def _choice(data: _Object, key: str, place: str, choices: Sequence[str], *, default: str) -> Any:
    value = data.get(key, default)
    if value in choices:
        return value
    wanted = " or ".join(repr(choice) for choice in choices)
    hint = names.did_you_mean(value, choices) if isinstance(value, str) else ""
    raise FlowError(f"{key!r} must be {wanted}.", where=_inside(place, key), remedy=hint)


def _inside(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _wrong(place: str, wanted: str, value: Any) -> FlowError:
    return FlowError(f"This must be {wanted}, found {kind(value)}.", where=place)
