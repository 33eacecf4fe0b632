"""Tools by the names that people give them in configuration."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, cast

from iaiflow_agents.tools.functions import CELL_TOOLS
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.tool import Tool
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model.names import did_you_mean, listed, shorten
from iaiflow_lab.model.signature import Fault
from iaiflow_lab.safe.path import name_fault

#: The tools that are always there.
BUILT_IN: Final = (
    "fetch", "files.list", "files.read", "files.replace", "files.write", "memory.add",
    "memory.files", "memory.forget", "memory.search", "notebook.delete", "notebook.edit",
    "notebook.insert", "notebook.read", "notebook.run", "python", "sql",
)  # fmt: skip
#: Names that stand for several tools.
GROUPS: Final = {"notebook": tuple(name for name in BUILT_IN if name.startswith("notebook."))}
#: What a name with a colon begins with, and what follows.
_KINDS: Final = {
    "node": "node:TYPE",
    "flow": "flow:PATH",
    "handoff": "handoff:NAME",
    "mcp": "mcp:SERVER or mcp:SERVER/TOOL",
    "sql": "sql:PATH, a file with a table",
}


@asynccontextmanager
async def open_tools(names: Sequence[str], reach: Reach) -> AsyncGenerator[list[Tool]]:
    """Open the tools of these names, until the context ends.

    Args:
        names: Such as `memory.search`, `sql`, `sql:data/flights.parquet`, `fetch`, `files.read`,
            `python`, `notebook`, `node:TYPE`, `flow:PATH`, `handoff:NAME`, `mcp:SERVER`,
            `mcp:SERVER/TOOL`, or functions.
        reach: What they may reach.

    Raises:
        NotFoundError: There is no tool of that name.
        NotAllowedError: A person refused an MCP server.
        NodeError: It can't be used.
    """
    wanted = [*dict.fromkeys(one for name in names for one in GROUPS.get(name, (name,)))]
    reach = _with_files(wanted, reach)
    async with AsyncExitStack() as stack:
        tools = [await _open(name, reach) for name in _single(wanted)]
        if reach.strange_tables:
            tools = [replace(tool, untrusted=True) for tool in tools]
        for server, only in _servers(wanted).items():
            from iaiflow_agents.tools.mcp import mcp_tools

            tools += await stack.enter_async_context(mcp_tools(server, reach, only))
        yield tools


def tool_faults(names: object) -> Iterator[Fault]:
    """Yield what is wrong with a list of names, as far as one can tell without opening anything.

    A function of a notebook is known where its cell has been run. Node types, flows and servers are
    looked up when the agent runs.

    Args:
        names: The list.
    """
    known = [*BUILT_IN, *GROUPS, *CELL_TOOLS]
    for name in cast("list[Any]", names) if isinstance(names, list) else ():
        kind, colon, rest = str(name).partition(":")
        if colon and kind not in _KINDS:
            remedy = did_you_mean(kind, _KINDS) or f"Write {listed(_KINDS.values())}."
            yield Fault("tools", f"{shorten(str(name))!r} is no tool.", remedy)
        elif colon and not rest:
            yield Fault("tools", f"{name!r} names nothing.", f"Write {_KINDS[kind]}.")
        elif kind in ("flow", "sql") and colon and (why := name_fault(rest)):
            yield Fault("tools", f"{name!r} is no path: {why}.", f"Write {_KINDS[kind]}.")
        elif not colon and name not in known:
            yield Fault("tools", *_unknown(str(name), known))


def _unknown(name: str, known: Sequence[str]) -> tuple[str, str]:
    """Return that there is no tool of a name, and what to do."""
    hint = did_you_mean(name, known) or f"There are: {listed(known, 20)}."
    cell = " A function needs @tool, and its cell to be run first." if name.isidentifier() else ""
    return f"There is no tool {shorten(name)!r}.", hint + cell


def _single(names: Sequence[str]) -> Iterator[str]:
    """Yield the names that stand for one tool each; several files make one tool `sql`."""
    kept = (name for name in names if not name.startswith("mcp:"))
    yield from dict.fromkeys("sql" if name.startswith("sql:") else name for name in kept)


def _servers(names: Sequence[str]) -> Mapping[str, list[str] | None]:
    """Return the servers that are named, each with its wanted tools; None: all."""
    found: dict[str, list[str] | None] = {}
    for name in names:
        if name.startswith("mcp:"):
            server, slash, one = name.removeprefix("mcp:").partition("/")
            if not slash:
                found[server] = None
            elif (listed_before := found.setdefault(server, [])) is not None:
                listed_before.append(one)
    return found


def _with_files(names: Sequence[str], reach: Reach) -> Reach:
    """Return the reach with the tables of the files that `sql:PATH` names."""
    from iaiflow_agents.tools.sql import file_table

    paths = [name.removeprefix("sql:") for name in names if name.startswith("sql:")]
    return replace(reach, tables={**dict(file_table(reach, p) for p in paths), **reach.tables})


async def _open(name: str, reach: Reach) -> Tool:
    kind, _, rest = name.partition(":")
    if kind == "node" and rest:
        from iaiflow_agents.tools.nodes import node_tool

        return node_tool(rest, reach)
    if kind == "flow" and rest:
        from iaiflow_agents.tools.flows import flow_tool

        return await flow_tool(rest, reach)
    if kind == "handoff" and rest:
        from iaiflow_agents.tools.handoff import handoff_tool

        return handoff_tool(rest)
    functions = {**CELL_TOOLS, **reach.functions}
    if name in functions:
        return functions[name]
    if name in BUILT_IN:
        return await _built_in(name, reach)
    what, remedy = _unknown(name, [*BUILT_IN, *GROUPS, *functions])
    raise NotFoundError(what, where="tools", remedy=remedy, code="tool-unknown")


async def _built_in(name: str, reach: Reach) -> Tool:
    from iaiflow_agents.tools.code import python_tool
    from iaiflow_agents.tools.fetch import fetch_tool
    from iaiflow_agents.tools.files import file_tools
    from iaiflow_agents.tools.memory import memory_tools
    from iaiflow_agents.tools.notebook import notebook_tools
    from iaiflow_agents.tools.sql import sql_tool

    if name == "python":
        return await python_tool(reach)
    makers: dict[str, Callable[[], Tool]] = {"sql": lambda: sql_tool(reach), "fetch": fetch_tool}
    if name in makers:
        return makers[name]()
    return {**file_tools(reach), **memory_tools(reach), **notebook_tools(reach)}[name]
