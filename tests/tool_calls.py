"""Calls of tools inside a step of a real run, as an agent's loop makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from harness import Lab, MemoryJournal, flow

from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import NodeType

Work = Callable[[Context], Awaitable[Any]]


def inside(lab: Lab, work: Work, **setup: Any) -> Any:
    """Return what `work(context)` gives inside a step, or raise what it raises."""
    result, given = attempt(lab, work, **setup)
    if result.exception is not None:
        raise result.exception
    return given[0]


def attempt(lab: Lab, work: Work, **setup: Any) -> tuple[Any, list[Any]]:
    """Return how a run of one step ended that does `work(context)`, and what that gave."""
    given: list[Any] = []

    async def use(ctx: Context) -> str:
        given.append(await work(ctx))
        return "done"

    lab.add(NodeType("use", use, effects="write"))
    if "record" not in setup:
        lab.journal = MemoryJournal()
    return lab.run(flow({"n": "use"}), **setup), given


def call(context: Context, arguments: Any, name: str = "toolu_1", **more: Any) -> ToolCall:
    """Return a call as the loop makes it."""
    return ToolCall(name, arguments, f"key of {name}", context, **more)


async def ask(context: Context, tool: Tool, /, **arguments: Any) -> ToolResult:
    """Call a tool."""
    return await tool.call(call(context, arguments))


def said(result: ToolResult) -> str:
    """Return the text of a result that did not fail."""
    assert not result.is_error, result.content
    assert isinstance(result.content, str)
    return result.content


def refused(result: ToolResult) -> str:
    """Return why a call failed: a sentence, never lines of code."""
    assert result.is_error, result.content
    assert isinstance(result.content, str)
    assert "Traceback" not in result.content
    return result.content
