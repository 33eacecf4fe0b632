"""From the configuration of an agent's node to what the agent is, and from its end to outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from iaiflow_agents import blocks
from iaiflow_agents.blocks import Message
from iaiflow_agents.budget import Budget
from iaiflow_agents.models.registry import MODEL
from iaiflow_agents.policy import Policy, read_policy
from iaiflow_agents.running import Result
from iaiflow_agents.said import Said
from iaiflow_agents.spec import AgentSpec, ModelChoice
from iaiflow_agents.tools.box import tool_faults
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.signature import Fault

#: Fields that an agent which helps another one may have.
_HELPER_FIELDS = frozenset(
    {
        "name",
        "description",
        "system",
        "tools",
        "model",
        "max_tokens",
        "thinking",
        "effort",
        "base_url",
        "key",
        "script",
        "policy",
        "max_steps",
        "max_tokens_total",
        "max_cost",
        "max_seconds",
        "takes_over",
    }
)


def agent_faults(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with the tools, rules and helpers of an agent."""
    if "tools" not in wired:
        yield from tool_faults(config.get("tools"))
    policy = config.get("policy")
    if isinstance(policy, list) and "policy" not in wired:
        try:
            read_policy(cast("list[Any]", policy))
        except NodeError as error:
            yield _fault("policy", error)
    helpers = config.get("agents")
    if isinstance(helpers, list) and "agents" not in wired:
        try:
            read_helpers(cast("list[Any]", helpers), ModelChoice(MODEL))
        except NodeError as error:
            yield _fault("agents", error)


def said(result: Result, on_budget: str = "stop") -> Said:
    """Return what a step gives for how its agent ended.

    Raises:
        NodeError: A limit is reached, and the step shall fail then.
    """
    ended = result.ended
    if on_budget == "fail" and ended.stopped.startswith("budget-"):
        raise NodeError(ended.reason, remedy="Raise the limit.", code=ended.stopped)
    return {
        "text": ended.text,
        "messages": list(ended.messages),
        "trace": dict(result.trace),
        "stopped": ended.stopped,
        "usage": result.trace["totals"],
    }


def read_history(history: Any) -> list[Message]:
    """Return an earlier conversation.

    Raises:
        NodeError: It is none.
    """
    if history is None:
        return []
    given = cast("list[Any]", history if isinstance(history, list) else [None])
    made: list[Message] = []
    for item in given:
        message = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        content: Any = message.get("content")
        if message.get("role") not in ("user", "assistant") or not isinstance(content, str | list):
            raise NodeError(
                "The history is no conversation.",
                where="history",
                remedy='Wire `messages` of an agent: [{"role": "user", "content": [...]}].',
                code="inputs-invalid",
            )
        says = blocks.user if message["role"] == "user" else blocks.assistant
        made.append(says(cast("str | list[blocks.Block]", content)))
    return made


def read_helpers(
    given: Sequence[Mapping[str, Any]], model: ModelChoice, policy: Policy | None = None
) -> tuple[AgentSpec, ...]:
    """Return the agents that an agent may ask; what they do not say is as with that agent.

    Raises:
        NodeError: One of them is none.
    """
    return tuple(
        _helper(item, f"agents[{index}]", model, policy or Policy())
        for index, item in enumerate(given)
    )


def _helper(item: Any, where: str, model: ModelChoice, policy: Policy) -> AgentSpec:
    spec = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    unknown = sorted(spec.keys() - _HELPER_FIELDS)
    if unknown or not isinstance(spec.get("name"), str) or not spec["name"]:
        what = f"An agent has no {unknown[0]!r}." if unknown else "An agent needs a name."
        raise NodeError(
            what, where=where, remedy=f"Known: {', '.join(sorted(_HELPER_FIELDS))}.",
            code="config-invalid",
        )  # fmt: skip
    own = "model" in spec
    choice = ModelChoice(
        str(spec.get("model", model.name)),
        str(spec.get("base_url", "" if own else model.base_url)),
        str(spec.get("key", "" if own else model.key)),
        spec.get("script", model.script),
        int(spec.get("max_tokens", model.max_tokens)),
        bool(spec.get("thinking", model.thinking)),
        str(spec.get("effort", model.effort)),
    )
    return AgentSpec(
        name=spec["name"],
        model=choice,
        system=str(spec.get("system", "")),
        description=str(spec.get("description", "")),
        tools=tuple(map(str, spec.get("tools", ()))),
        policy=read_policy(spec["policy"], policy.on_ask) if "policy" in spec else policy,
        budget=Budget(
            spec.get("max_steps", 20),
            spec.get("max_tokens_total"),
            spec.get("max_cost"),
            spec.get("max_seconds"),
        ),
        takes_over=bool(spec.get("takes_over", False)),
    )


def _fault(field: str, error: NodeError) -> Fault:
    """Return what a configuration is refused with as a fault of one of its fields."""
    what = f"{error.what.rstrip('.')} ({error.where})." if error.where else error.what
    return Fault(field, what, error.remedy)
