"""The tool by which an agent keeps a list of what is to be done, for itself and for people."""

from __future__ import annotations

from typing import Any

from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_agents.work import PLAN
from iaiflow_lab.model.json_schema import violations
from iaiflow_lab.model.json_value import spell_place

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "type": "object",
                "properties": {
                    "text": {
                        "type": "string",
                        "description": "What is to be done, in a few words.",
                    },
                    "done": {"type": "boolean", "description": "Whether it is done."},
                },
                "required": ["text", "done"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["items"],
    "additionalProperties": False,
}


def plan_tool() -> Tool:
    """Return the tool."""
    return Tool(
        name=PLAN,
        description=(
            "Keep a list of what is to be done. Give the whole list each time: first when a task "
            "needs several steps, then whenever one is done or the plan changes."
        ),
        schema=_SCHEMA,
        call=_call,
        source="the agent's own plan",
    )


async def _call(call: ToolCall) -> ToolResult:
    wrong = [f"{spell_place(v.path)} {v.message}" for v in violations(call.arguments, _SCHEMA)]
    if wrong:
        return ToolResult("\n".join(wrong), is_error=True)
    items = call.arguments["items"]
    left = sum(not item["done"] for item in items)
    return ToolResult(f"{len(items)} items, {left} left.")
