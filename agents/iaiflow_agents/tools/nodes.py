"""Any node type as a tool: its inputs and configuration become arguments, its call a step."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from iaiflow_agents.taint import ran_strangers
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.results import attempt
from iaiflow_agents.tools.schema import ArgumentsError, wrong
from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node
from iaiflow_lab.model.json_schema import violations
from iaiflow_lab.model.json_value import spell_place
from iaiflow_lab.model.signature import NodeSignature, Port
from iaiflow_lab.sdk.catalog import load_catalog

#: How long a step of a node or flow may take, waiting not counted, in seconds.
TIMEOUT: Final = 600.0
#: Port types whose values a model can write.
_WRITABLE: Final = frozenset({"text", "number", "boolean", "json", "file", "list", "any"})
#: Node types that reach more files than agents may.
_OTHERS: Final = {"file.read": "files.read", "file.write": "files.write"}
#: A secret that is named: it would be sent wherever the model says.
_SECRET: Final = re.compile(r"\bsecret:[A-Za-z_]")


def node_tool(node_type: str, reach: Reach) -> Tool:
    """Return a node type as a tool.

    Raises:
        NotFoundError: There is no such node type.
        NodeError: It can't be a tool.
    """
    found = load_catalog(reach.context.workspace).require(node_type)
    signature = found.signature
    if fault := _fault(signature, reach):
        raise NodeError(
            f"The node type {node_type!r} can't be a tool: {fault}.",
            remedy="Use it inside a flow, and give the agent the flow: flow:PATH.",
            code="tool-invalid",
        )
    schema = _schema(signature, reach)

    async def call(made: ToolCall) -> ToolResult:
        async def work() -> Any:
            values = checked(made.arguments, schema)
            tables = {name: values.pop(name) for name in _tables(signature) & values.keys()}
            flow = _flow(signature, values, tables)
            live = {name: reach.tables[table] for name, table in tables.items()}
            outputs = await made.context.arun_flow(step_key(made), flow, live)
            return next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)

        result = await attempt(work, None, untrusted=signature.untrusted)
        return await with_origins(result, made)

    return Tool(
        name=tool_name(node_type),
        description=signature.help,
        schema=schema,
        call=call,
        label=f"node:{node_type}",
        effects=signature.effects,
        sends=signature.effects == "write",
        untrusted=signature.untrusted,
        timeout=None,
        source=f"the node type {node_type}",
    )


def tool_name(text: str) -> str:
    """Return a name that a model can use for what people call otherwise."""
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", text).strip("_")[:64] or "tool"


async def with_origins(result: ToolResult, call: ToolCall) -> ToolResult:
    """Return what a call gave, marked where one of the steps that were executed for it says so."""
    is_strange = result.untrusted or await ran_strangers(call.context, step_key(call))
    return replace(result, untrusted=is_strange)


def step_key(call: ToolCall) -> str:
    """Return the key under which the steps of a call are recorded."""
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", call.id):
        return call.id
    return hashlib.sha256(call.id.encode("utf-8", "replace")).hexdigest()[:16]


def checked(given: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments that fit a schema and name no secret.

    Raises:
        ArgumentsError: They don't; says what is wrong with each.
    """
    values = dict(given)
    lines = [
        f"{spell_place(found.path) or 'arguments'}: {found.message}"
        for found in violations(values, schema)
    ]
    lines += [
        f"{name}: It names a secret, and secrets are not given to models."
        for name, value in values.items()
        if any(map(_SECRET.search, _texts(value)))
    ]
    if lines:
        raise ArgumentsError(wrong(lines))
    return values


def _texts(value: Any) -> Iterator[str]:
    stack: list[Any] = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict):
            held = cast("dict[str, Any]", current)
            stack += [*held.keys(), *held.values()]
        elif isinstance(current, list):
            stack += cast("list[Any]", current)


def _fault(signature: NodeSignature, reach: Reach) -> str:
    """Return why a model can't call the node; "" when it can."""
    if signature.type in _OTHERS:
        return f"there is {_OTHERS[signature.type]}, which keeps to the files for agents"
    if signature.bodies:
        return "what it runs is a flow that the model would write"
    properties = cast("Mapping[str, Any]", signature.config_schema.get("properties", {}))
    if "base_url" in properties:
        return "a model would choose which models are asked, and what they may do"
    for name, field in properties.items():
        if field.get("x-widget") == "python":
            return f"{name!r} is code that would run in this very process; there is `python`"
    for port in signature.inputs:
        is_given = _is_writable(port) or (port.type.name == "table" and reach.tables)
        if port.required and not is_given:
            return f"its input {port.name!r} takes a {port.type}, which no model can write"
    return ""


def _is_writable(port: Port) -> bool:
    inner = port.type
    while inner.item is not None:
        inner = inner.item
    return inner.name in _WRITABLE


def _tables(signature: NodeSignature) -> set[str]:
    return {port.name for port in signature.inputs if port.type.name == "table"}


def _schema(signature: NodeSignature, reach: Reach) -> dict[str, Any]:
    """Return the schema of configuration and inputs; a table is chosen by its name."""
    schema: dict[str, Any] = dict(signature.config_schema)
    properties: dict[str, Any] = dict(schema.get("properties", {}))
    required: list[str] = list(schema.get("required", []))
    for port in signature.inputs:
        if port.type.name == "table":
            if not reach.tables:
                continue
            names = sorted(reach.tables)
            properties[port.name] = {"type": "string", "enum": names, "description": port.help}
        elif _is_writable(port):
            properties.setdefault(port.name, {"description": port.help})
        if port.required and port.name not in required:
            required.append(port.name)
    shown = {name: _plain(field) for name, field in properties.items()}
    return {
        **schema,
        "type": "object",
        "properties": shown,
        "required": required,
        "additionalProperties": signature.free_inputs is not None
        and signature.free_inputs.name in _WRITABLE,
    }


def _plain(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's schema without what only forms read."""
    return {key: value for key, value in field.items() if key not in {"title", "x-widget"}}


def _flow(signature: NodeSignature, values: Mapping[str, Any], tables: Mapping[str, str]) -> Flow:
    node = Node(signature.type, values, version=signature.version, timeout=TIMEOUT)
    return Flow(
        name=signature.type,
        parameters={name: {"type": "table"} for name in tables},
        nodes={"node": node},
        edges=tuple(Edge(PARAMS, name, "node", name) for name in tables),
        outputs={port.name: f"node.{port.name}" for port in signature.outputs},
    )
