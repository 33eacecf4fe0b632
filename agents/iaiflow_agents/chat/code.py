"""An agent as the Python that makes it, for the notebook of a conversation."""

from __future__ import annotations

import inspect
import keyword
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, Final

from iaiflow_agents.budget import Budget
from iaiflow_agents.policy import Policy, Rule
from iaiflow_agents.spec import AgentSpec, ModelChoice
from iaiflow_agents.tools.functions import CELL_TOOLS
from iaiflow_agents.tools.tool import Tool
from iaiflow_lab.model.secret_names import PREFIX

_WIDTH: Final = 96
#: A name and a password in an address.
_USERINFO: Final = re.compile(r"(?<=//)[^/?#]*@")


def variable(name: str) -> str:
    """Return a name of a variable for an agent."""
    word = re.sub(r"\W+", "_", name).strip("_").lower() or "agent"
    return f"agent_{word}" if word[0].isdigit() or keyword.iskeyword(word) else word


def to_python(spec: AgentSpec) -> str:
    """Return the code that makes an agent, and the functions and agents that it may use."""
    functions = list(dict.fromkeys(_functions(spec)))
    head = f"from iaiflow_agents import Agent, Budget{', tool' if functions else ''}"
    agents = [_agent(one) for one in (*spec.agents, spec)]
    return "\n\n".join([head, *map(_source, functions), *agents])


def _functions(spec: AgentSpec) -> Iterator[Callable[..., Any]]:
    """Yield the functions of an agent's tools, and of those that it may ask."""
    for one in spec.tools:
        found = CELL_TOOLS.get(one) if isinstance(one, str) else one
        if found is not None and found.function is not None:
            yield found.function
    for agent in spec.agents:
        yield from _functions(agent)


def _source(function: Callable[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return f"# The code of {function.__name__} is not known here: define it before."


def _agent(spec: AgentSpec) -> str:
    lines = [
        f"    {name}={value},"
        for name, value in [
            *_model(spec.model),
            *_written("system", spec.system),
            *_written("description", spec.description),
            *_usable(spec),
            *_policy(spec.policy),
            *_budget(spec.budget),
            *_written("ask_limit", spec.ask_limit),
            *_written("takes_over", spec.takes_over),
            *_written("plan", spec.plans),
        ]
    ]
    return "\n".join([f"{variable(spec.name)} = Agent(", f"    {spec.name!r},", *lines, ")"])


def _model(choice: ModelChoice) -> Iterator[tuple[str, str]]:
    yield "model", repr(choice.name)
    for field in fields(choice):
        value = _open(field.name, getattr(choice, field.name))
        if field.name != "name" and value != field.default:
            yield field.name, _spelled(value)


def _open(name: str, value: Any) -> Any:
    """Return a value of a model without what only its owner may know."""
    if name == "base_url":
        return _USERINFO.sub("", value)
    return "" if name == "key" and not value.startswith(PREFIX) else value


def _written(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value:
        yield name, _spelled(value)


def _usable(spec: AgentSpec) -> Iterator[tuple[str, str]]:
    """Yield the tools: names as texts, functions and agents by the names of their variables."""
    tools = [repr(one) if isinstance(one, str) else _name(one) for one in spec.tools]
    tools += [variable(one.name) for one in spec.agents]
    if tools:
        yield "tools", f"[{', '.join(tools)}]"


def _name(tool: Tool) -> str:
    return variable(tool.name) if tool.function is None else tool.function.__name__


def _policy(policy: Policy) -> Iterator[tuple[str, str]]:
    if policy.rules:
        yield "policy", _spelled([_rule(rule) for rule in policy.rules])
    if policy.on_ask != "wait":
        yield "on_ask", repr(policy.on_ask)


def _rule(rule: Rule) -> str | dict[str, Any]:
    if not rule.match and not rule.even_untrusted:
        return str(rule)
    match = {**rule.match, **({"": rule.places} if rule.places else {})}
    made = {"tool": rule.tool, "decision": rule.decision, "match": match}
    return {**made, "even_untrusted": True} if rule.even_untrusted else made


def _budget(budget: Budget) -> Iterator[tuple[str, str]]:
    given = [
        f"{field.name}={getattr(budget, field.name)!r}"
        for field in fields(budget)
        if getattr(budget, field.name) != field.default
    ]
    if given:
        yield "budget", f"Budget({', '.join(given)})"


def _spelled(value: Any) -> str:
    from pprint import pformat

    spelled = pformat(value, width=_WIDTH, sort_dicts=False)
    return textwrap.indent(spelled, "    ").strip() if "\n" in spelled else spelled
