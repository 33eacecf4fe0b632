"""Handing a conversation over to another agent of the flow: the next node goes on with it."""

from __future__ import annotations

import re
from typing import Final

from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_lab.errors import NodeError

#: What names of such tools begin with, and what `stopped` says then.
HANDOFF: Final = "handoff:"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,48}")


def handoff_tool(name: str) -> Tool:
    """Return the tool by which an agent ends its part and says who goes on.

    Args:
        name: To whom it hands over.

    Raises:
        NodeError: The name is none that a model can use.
    """
    if not _NAME.fullmatch(name):
        raise NodeError(
            f"{name[:80]!r} is no name to hand over to.",
            where="tools",
            remedy="Use up to 48 letters, digits, '_' and '-', such as handoff:billing.",
            code="tool-invalid",
        )

    async def call(made: ToolCall) -> ToolResult:
        note = made.arguments.get("note", "")
        if not isinstance(note, str):
            return ToolResult("note: say as a text what the other has to know.", is_error=True)
        return ToolResult(f"The conversation is handed over to {name}. {note}".strip())

    return Tool(
        name=f"handoff_{name}",
        description=f"Hand the conversation over to {name}, who goes on in your place.",
        schema={
            "type": "object",
            "properties": {
                "note": {
                    "type": "string",
                    "description": "What the other has to know beside the conversation.",
                }
            },
            "additionalProperties": False,
        },
        call=call,
        label=f"{HANDOFF}{name}",
        source=f"the flow, in which {name} goes on",
    )
