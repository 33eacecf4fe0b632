"""From the configuration of an agent's node to what the agent is, and from its end to outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, cast

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
from iaiflow_lab.model.json_schema import violations
from iaiflow_lab.model.json_value import spell_place
from iaiflow_lab.model.signature import Fault

#: How often the model may be asked, unless the node says otherwise.
STEPS: Final = 50
_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 1}
_LIMIT: Final = {"type": ["number", "null"]}
#: What an agent which helps another one may have, as JSON Schema.
_HELPER: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "description": _TEXT,
        "system": _TEXT,
        "tools": {"type": "array", "items": _TEXT},
        "model": _TEXT,
        "max_tokens": _COUNT,
        "thinking": {"type": "boolean"},
        "effort": _TEXT,
        "base_url": _TEXT,
        "key": _TEXT,
        "script": {},
        "policy": {"type": "array"},
        "max_steps": {"type": ["integer", "null"]},
        "max_tokens_total": {"type": ["integer", "null"]},
        "max_cost": _LIMIT,
        "max_seconds": _LIMIT,
        "takes_over": {"type": "boolean"},
    },
}
_HELPER_FIELDS: Final = frozenset(_HELPER["properties"])


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
            made = read_helpers(cast("list[Any]", helpers), ModelChoice(MODEL))
        except NodeError as error:
            yield _fault("agents", error)
        else:
            yield from _helper_faults(made)


def _helper_faults(helpers: Sequence[AgentSpec]) -> Iterator[Fault]:
    for index, helper in enumerate(helpers):
        for fault in tool_faults([*helper.tools]):
            message = f"{fault.message.rstrip('.')} (agents[{index}])."
            yield Fault("agents", message, fault.remedy)


def agent_spec(name: str, config: Mapping[str, Any]) -> AgentSpec:
    """Return the agent that the configuration of an agent's node describes.

    Args:
        name: What people call it.
        config: The fields of the node; what is left out is as the node has it.

    Raises:
        NodeError: A rule, a limit or a helper can't be used.
    """
    choice = ModelChoice(
        config.get("model", MODEL),
        config.get("base_url", ""),
        config.get("key", ""),
        config.get("script"),
        config.get("max_tokens", 4096),
        config.get("thinking", False),
        config.get("effort", ""),
    )
    rules = read_policy(config.get("policy") or (), config.get("on_ask", "wait"))
    limits = ("max_tokens_total", "max_cost", "max_seconds", "max_run_cost")
    return AgentSpec(
        name=name,
        model=choice,
        system=config.get("system", ""),
        tools=tuple(config.get("tools") or ()),
        agents=read_helpers(config.get("agents") or (), choice, rules),
        policy=rules,
        budget=Budget(config.get("max_steps", STEPS), *map(config.get, limits)),
        ask_limit=config.get("ask_limit"),
        plans=config.get("plan", False),
    )


def conversation(history: Any, prompt: str) -> list[Message]:
    """Return what an agent is to answer: what was said before, and its task.

    Without a task it answers what the person said last.

    Raises:
        NodeError: The history is no conversation.
    """
    messages = read_history(history)
    is_asked = bool(messages) and messages[-1]["role"] == "user"
    return messages if is_asked and not prompt.strip() else [*messages, blocks.user(prompt)]


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
    for wrong in violations(spec, _HELPER):
        place = spell_place(wrong.path)
        raise NodeError(f"{place!r} {wrong.message}", where=where, code="config-invalid")
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
