"""What the tools of one agent may reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iaiflow_agents.tools.tool import Tool
from iaiflow_lab.sdk.context import Context


@dataclass(frozen=True, slots=True)
class Reach:
    """What the tools of one agent may reach."""

    #: The context of the agent's step.
    context: Context
    #: Live tables, by the names under which tools see them.
    tables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: Whether strangers may have written what stands in them.
    strange_tables: bool = False
    #: Further tools that may be named, such as functions of whoever runs the agent.
    functions: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    #: Whose memory it is: the agent's, a person's, a conversation's.
    agent: str = ""
    user: str = ""
    thread: str = ""
