"""Tools by the names that people give them in configuration."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from iaiflow_agents.tools.functions import CELL_TOOLS
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.tool import Tool
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model.names import did_you_mean, listed


@asynccontextmanager
async def open_tools(names: Sequence[str], reach: Reach) -> AsyncGenerator[list[Tool]]:
    """Open the tools of these names, until the context ends.

    Args:
        names: Such as `memory.search`, `sql`, `fetch`, `files.read`, `node:TYPE`, `flow:PATH`, or
            functions.
        reach: What they may reach.

    Raises:
        NotFoundError: There is no tool of that name.
        NodeError: It can't be used.
    """
    yield [await _open(name, reach) for name in dict.fromkeys(names)]


async def _open(name: str, reach: Reach) -> Tool:
    kind, _, rest = name.partition(":")
    if kind == "node" and rest:
        from iaiflow_agents.tools.nodes import node_tool

        return node_tool(rest, reach)
    if kind == "flow" and rest:
        from iaiflow_agents.tools.flows import flow_tool

        return await flow_tool(rest, reach)
    functions = {**CELL_TOOLS, **reach.functions}
    if name in functions:
        return functions[name]
    built_in = _built_in(reach)
    if name in built_in:
        return built_in[name]
    known = [*built_in, *functions]
    raise NotFoundError(
        f"There is no tool {name!r}.",
        where="tools",
        remedy=did_you_mean(name, known) or f"There are: {listed(known, 20)}.",
        code="tool-unknown",
    )


def _built_in(reach: Reach) -> dict[str, Tool]:
    from iaiflow_agents.tools.fetch import fetch_tool
    from iaiflow_agents.tools.files import file_tools
    from iaiflow_agents.tools.memory import memory_tools
    from iaiflow_agents.tools.sql import sql_tool

    return {
        "sql": sql_tool(reach),
        "fetch": fetch_tool(),
        **file_tools(reach),
        **memory_tools(reach),
    }
