"""Python that a model writes, run in a process that is shut in."""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from iaiflow_agents.tools.functions import tool
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.tool import Tool, ToolResult
from iaiflow_lab.model.names import listed
from iaiflow_lab.safe.jail import MAX_OUTPUT, Ran, isolation, run_jailed
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.values import is_lazy

#: How long code may run, in seconds.
TIMEOUT: Final = 60.0
#: Largest table that is handed over, in bytes of Parquet.
_MAX_TABLE: Final = 200_000_000


async def python_tool(reach: Reach, *, timeout: float = TIMEOUT) -> Tool:
    """Return the tool that runs Python which a model writes.

    Shut in, it can do nothing to the world. Without isolation on this machine it refuses, unless
    config.toml allows it by name, `[tools.python]` and `allow_unsafe = true`; then it counts as
    writing and sending.

    Args:
        reach: What the tools of the agent may reach; its tables are handed over as files.
        timeout: Longest time, in seconds.
    """
    is_shut_in = await asyncio.to_thread(isolation) != "none"
    said = _description(reach.tables, timeout)

    @tool(name="python", timeout=None, description=said)
    async def python(ctx: Context, code: str) -> ToolResult:
        """Run Python.

        Args:
            ctx: What knows whether code may run without isolation.
            code: A script; what it prints is what you are given.
        """
        allowed = ctx.configured("tools").get("python", {}).get("allow_unsafe") is True
        files = await asyncio.to_thread(_files, reach.tables)
        ran = await run_jailed(code, files=files, timeout=timeout, allow_unsafe=allowed)
        return _told(ran, timeout)

    return replace(
        python,
        effects="none" if is_shut_in else "write",
        sends=not is_shut_in,
        source="Python in a process of its own",
        timeout=timeout,
    )


def _description(tables: Mapping[str, Any], timeout: float) -> str:
    said = (
        "Run a Python script and get what it prints. Each call is a fresh process without network, "
        f"without further processes, in an empty folder, for at most {timeout:g} seconds; nothing "
        "is left of it afterwards. Installed packages such as polars can be imported."
    )
    if tables:
        said += (
            f" In the folder are tables as Parquet files: {listed(_names(tables).values(), 30)}."
        )
    return said


def _names(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of each table's file."""
    names: dict[str, str] = {}
    for name in tables:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60] or "table"
        taken = f"{plain}.parquet" in names.values()
        names[name] = f"{plain}_{len(names)}.parquet" if taken else f"{plain}.parquet"
    return names


def _files(tables: Mapping[str, Any]) -> dict[str, bytes]:
    if not tables:
        return {}
    import polars as pl

    files: dict[str, bytes] = {}
    for name, file in _names(tables).items():
        table = tables[name]
        frame = table.collect() if is_lazy(table) else table
        buffer = io.BytesIO()
        (frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)).write_parquet(buffer)
        if buffer.tell() <= _MAX_TABLE:
            files[file] = buffer.getvalue()
    return files


def _told(ran: Ran, timeout: float) -> ToolResult:
    how = "without isolation" if ran.isolation == "none" else f"isolated by {ran.isolation}"
    if ran.is_late:
        head = f"It was stopped after {timeout:g} seconds ({how})."
    elif ran.status < 0:
        head = f"It was ended by signal {-ran.status} ({how})."
    else:
        head = f"It ended with status {ran.status} ({how})."
    more = f"\n[cut here: {MAX_OUTPUT:,} bytes are kept]" if ran.is_cut else ""
    return ToolResult(
        f"{head}\n{ran.output}{more}".rstrip(), is_error=ran.is_late or bool(ran.status)
    )
