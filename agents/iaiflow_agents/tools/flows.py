"""Any saved flow as a tool: its parameters become arguments, its steps are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from iaiflow_agents.tools.nodes import checked, step_key, tool_name, with_origins
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.results import attempt
from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model import file, rules
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.parameters import bind, is_live, is_required, parameter_type, value_schema
from iaiflow_lab.model.signature import Effects
from iaiflow_lab.model.strangers import give_strangers
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.sdk.catalog import Catalog, load_catalog


async def flow_tool(path: str, reach: Reach) -> Tool:
    """Return the flow that is saved at `path` as a tool; its file is read and nothing is run.

    The run goes on with the flow as it was when it was first read.

    Args:
        path: The file, from the folder of the agent's own flow on.
        reach: What the tools of the agent may reach.

    Raises:
        InputError, NotFoundError: There is no such file.
        FlowError: It is no flow, or one that can't run.
        NodeError: A model can't give its parameters.
    """

    async def read() -> dict[str, Any]:
        return await asyncio.to_thread(_read, path, reach)

    flow = file.from_data(await reach.context.aonce(f"flow:{path}", read))
    catalog = load_catalog(reach.context.workspace)
    schema = _schema(flow, path, reach)
    effects = _effects(flow, catalog)
    untrusted = give_strangers(flow.nodes.values(), catalog.signature)

    async def call(made: ToolCall) -> ToolResult:
        async def work() -> Any:
            values = checked(made.arguments, schema)
            for name, spec in flow.parameters.items():
                if name in values and parameter_type(spec).name == "table":
                    values[name] = reach.tables[values[name]]
            inputs = bind(flow.parameters, values)
            outputs = await made.context.arun_flow(step_key(made), flow, inputs)
            return next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)

        return await with_origins(await attempt(work, None, untrusted=untrusted), made)

    return Tool(
        name=tool_name(path.rpartition("/")[2].removesuffix(file.SUFFIX)),
        description=_description(flow),
        schema=schema,
        call=call,
        label=f"flow:{path}",
        effects=effects,
        sends=effects == "write",
        untrusted=untrusted,
        timeout=None,
        source=f"the flow {path}",
    )


def _read(path: str, reach: Reach) -> dict[str, Any]:
    place = safe_path(reach.context.folder, path, must_exist=True)
    try:
        flow = file.parse(place.read_bytes(), path)
    except OSError as error:
        raise FlowError(f"The flow can't be read: {error.strerror}.", where=path) from error
    rules.ensure(flow, load_catalog(reach.context.workspace))
    return file.to_data(flow)


def _schema(flow: Flow, path: str, reach: Reach) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, spec in flow.parameters.items():
        if parameter_type(spec).name == "table" and reach.tables:
            properties[name] = {**value_schema(spec), "type": "string", "enum": [*reach.tables]}
        elif not is_live(spec):
            properties[name] = value_schema(spec)
        elif is_required(spec):
            raise NodeError(
                f"The flow can't be a tool: no model can write its parameter {name!r}.",
                where=path,
                remedy="Give the parameter a default, or another type.",
                code="tool-invalid",
            )
    required = [name for name in properties if is_required(flow.parameters[name])]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _description(flow: Flow) -> str:
    notes = [str(note.get("text", "")) for note in flow.notes]
    return "\n".join(
        [f"Run the flow {flow.name!r} and give what it returns.", *filter(None, notes)]
    )


def _effects(flow: Flow, catalog: Catalog) -> Effects:
    """Return the strongest effect of a flow's nodes; what is not known may write."""
    found: set[Effects] = {"none"}
    for node in flow.nodes.values():
        signature = catalog.signature(node.type)
        found.add("write" if signature is None else signature.effects)
        for body in signature.bodies if signature is not None else ():
            nested = node.config.get(body)
            if isinstance(nested, dict):
                inner = file.from_data(cast("Mapping[str, Any]", nested), nested=True)
                found.add(_effects(inner, catalog))
            else:
                found.add("write")
    return "write" if "write" in found else "read" if "read" in found else "none"
