"""Agents for IAI Flow Lab: the agent loop, models, tools and prompts.

    from iaiflow_agents import Agent, Budget

    analyst = Agent("analyst", tools=["sql"], budget=Budget(cost=0.50))
    print(analyst.run("Which month has the most delays?", flights=flights))

Everything here is imported when it is first used, so that `import iaiflow_agents` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from iaiflow_agents.agent import Agent, AgentRun
    from iaiflow_agents.budget import Budget
    from iaiflow_agents.errors import ModelFault
    from iaiflow_agents.nodes.llm import schema_of
    from iaiflow_agents.tools.functions import tool
    from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult

__all__ = [
    "Agent",
    "AgentRun",
    "Budget",
    "ModelFault",
    "Tool",
    "ToolCall",
    "ToolResult",
    "schema_of",
    "tool",
]

#: The module of this package that each public name comes from.
_HOMES: Final = {
    "Agent": "agent",
    "AgentRun": "agent",
    "Budget": "budget",
    "ModelFault": "errors",
    "Tool": "tools.tool",
    "ToolCall": "tools.tool",
    "ToolResult": "tools.tool",
    "schema_of": "nodes.llm",
    "tool": "tools.functions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
