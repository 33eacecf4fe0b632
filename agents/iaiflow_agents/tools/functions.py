"""Any typed Python function as a tool."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final, overload

from iaiflow_agents.tools.results import attempt
from iaiflow_agents.tools.schema import arguments_of
from iaiflow_agents.tools.threads import in_thread
from iaiflow_agents.tools.tool import NAME_PATTERN, Tool, ToolCall, ToolResult
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.signature import Effects
from iaiflow_lab.sdk.node import CELL_NAMES

#: Tools made in the notebook's own cells, by name; the latest wins.
CELL_TOOLS: Final[dict[str, Tool]] = CELL_NAMES
#: How long a function may take, in seconds.
TIMEOUT: Final = 60.0


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *,
    name: str = "",
    description: str = "",
    effects: Effects = "none",
    sends: bool = False,
    untrusted: bool = False,
    timeout: float | None = TIMEOUT,
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    effects: Effects = "none",
    sends: bool = False,
    untrusted: bool = False,
    timeout: float | None = TIMEOUT,
) -> Any:
    """Make a tool of a typed function; used as `@tool` or `@tool(effects="write")`.

    The model sees the function's name, its docstring (with an `Args:` section in Google's style)
    and a JSON Schema of its parameters. A parameter annotated `Context` receives the context of
    the agent's step, one annotated `ToolCall` the call with its idempotency key. A function that
    is not async runs in a thread of its own. In a notebook cell the function can be named in the
    configuration of agents.

    Args:
        function: The function.
        name: What the model calls it; the function's own name when empty.
        description: What it does; the docstring when empty.
        effects: What it does to the world: with "write" a person is asked unless a rule allows it.
        sends: Whether it can carry data out, over a network or by mail.
        untrusted: Whether strangers may have written what it gives.
        timeout: Longest time of a call, in seconds; None: no limit.

    Raises:
        NodeError: The name is none that a model can use, or a model can't give the parameters.
    """

    def made(target: Callable[..., Any]) -> Tool:
        arguments = arguments_of(target)
        called = name or getattr(target, "__name__", "")
        _check(called, target)

        async def call(made: ToolCall) -> ToolResult:
            async def work() -> Any:
                values = arguments.read(made.arguments)
                for parameter, kind in arguments.given.items():
                    values[parameter] = made if kind is ToolCall else made.context
                if inspect.iscoroutinefunction(target):
                    return await target(**values)
                return await in_thread(lambda: target(**values))

            return await attempt(work, timeout, untrusted=untrusted)

        tool_of_function = Tool(
            name=called,
            description=description or arguments.help,
            schema=arguments.schema,
            call=call,
            effects=effects,
            sends=sends,
            untrusted=untrusted,
            timeout=timeout,
            source=f"the function {called}",
            function=target,
        )
        if target.__module__ == "__main__":
            CELL_TOOLS[called] = tool_of_function
        return tool_of_function

    return made if function is None else made(function)


def _check(name: str, target: Callable[..., Any]) -> None:
    if not re.fullmatch(NAME_PATTERN, name):
        raise NodeError(
            f"{name!r} is no name of a tool.",
            remedy="Use up to 64 letters, digits, '_' and '-': @tool(name=...).",
            code="tool-invalid",
        )
    if inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target):
        raise NodeError(
            f"The function {name!r} can't be a tool: it yields.",
            remedy="Return one value.",
            code="tool-invalid",
        )
