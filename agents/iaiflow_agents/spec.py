"""What an agent is: its model, instructions, tools, rules and limits. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from iaiflow_agents.budget import Budget
from iaiflow_agents.policy import Policy
from iaiflow_agents.tools.tool import Tool

#: The script of a scripted model.
Script = Mapping[str, Any] | Sequence[Any] | str


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model is asked, and how."""

    #: Such as `claude-sonnet-5-5`, `openai:NAME`, `scripted`.
    name: str
    #: The address of a server that speaks the same; "": the provider's own.
    base_url: str = ""
    #: `secret:NAME`, or a key, which nothing shows; "": the provider's usual secret.
    key: str = field(default="", repr=False)
    #: What a scripted model plays.
    script: Script | None = None
    #: Most tokens of one answer.
    max_tokens: int = 4096
    #: Whether it may think aloud.
    thinking: bool = False
    #: How much trouble it takes: "low" to "max"; "": its own choice.
    effort: str = ""


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent."""

    #: What people call it.
    name: str
    model: ModelChoice
    #: Instructions above the conversation.
    system: str = ""
    #: What it is for, for an agent that may ask it.
    description: str = ""
    #: Names of tools, and tools themselves.
    tools: tuple[str | Tool, ...] = ()
    #: Agents that it may ask.
    agents: tuple[AgentSpec, ...] = ()
    policy: Policy = field(default_factory=Policy)
    budget: Budget = field(default_factory=Budget)
    #: How long somebody who is asked has for an answer, in seconds; None: for ever.
    ask_limit: float | None = None
    #: Whether its answer, when another agent asks it, is that agent's own.
    takes_over: bool = False
    #: Whether it keeps a list of what is to be done.
    plans: bool = False
