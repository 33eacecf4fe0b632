"""A tool: what a model may ask for, and what it is given.

Only the agent's loop makes a call, after its policy has allowed it and inside a recorded sub-step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iaiflow_agents.blocks import Block
from iaiflow_lab.model.signature import Effects
from iaiflow_lab.sdk.context import Context

#: What a tool may be called, as models are told of it.
NAME_PATTERN: Final = r"[a-zA-Z0-9_-]{1,64}"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a model has asked for and the policy has allowed."""

    #: The id of the model's `tool_use` block.
    id: str
    #: The arguments, as the model or whoever approved gave them; the tool checks them.
    arguments: Mapping[str, Any]
    #: Equal whenever this very call is made again: what is sent may carry it.
    key: str
    #: The context of the agent's step.
    context: Context
    #: Whether words of strangers were before the model when it asked.
    is_tainted: bool = False


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave."""

    #: Text, or Anthropic content blocks, for the model.
    content: str | list[Block]
    #: Whether it failed; the content then says in one sentence why.
    is_error: bool = False
    #: The live object behind the text, for people; never recorded.
    value: Any = None
    #: Whether strangers may have written it: a web page, a file, an answer of an MCP server.
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may call."""

    #: What the model calls it: letters, digits, `_` and `-`, at most 64.
    name: str
    #: What it does, for the model.
    description: str
    #: JSON Schema of its arguments: an object.
    schema: Mapping[str, Any]
    #: Makes the call; refuses wrong arguments by a result that says what is wrong with each.
    call: Callable[[ToolCall], Awaitable[ToolResult]]
    #: What people call it in configuration and rules, such as `files.write`; the name when empty.
    label: str = ""
    #: What it does to the world.
    effects: Effects = "none"
    #: Whether it can carry data out: over a network, by mail.
    sends: bool = False
    #: Whether its results are words of strangers.
    untrusted: bool = False
    #: Longest time of a call, in seconds; None: the tool ends by itself. The call keeps it itself.
    timeout: float | None = 60.0
    #: Where it comes from, for people who are asked to approve.
    source: str = ""
    #: Why a person has to be asked whatever the rules allow, such as a tool that has changed since
    #: it was approved; "": nothing. Its calls are refused until `approve` was called.
    concern: str = ""
    #: Called when a person has approved a call despite the concern, also again on resume.
    approve: Callable[[], None] = field(default=lambda: None)
    #: The Python function that it is; None: it is none.
    function: Callable[..., Any] | None = None

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.label or self.name
