"""Who can be talked with: agents of the kernel, and agents that are nodes of flows."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from iaiflow_agents.chat import kernel
from iaiflow_agents.chat.thread import ChatAgent, KernelAgent, NodeAgent
from iaiflow_agents.configured import agent_spec
from iaiflow_agents.models import registry
from iaiflow_agents.models.keys import missing_key
from iaiflow_agents.nodes.fields import needed_keys
from iaiflow_agents.spec import AgentSpec, ModelChoice
from iaiflow_lab.errors import InputError, LabError, NotFoundError
from iaiflow_lab.model import template, topology
from iaiflow_lab.model.flow import PARAMS, Node
from iaiflow_lab.model.names import did_you_mean, shorten
from iaiflow_lab.model.names import listed as listed_names
from iaiflow_lab.model.secret_names import PREFIX
from iaiflow_lab.model.strangers import give_strangers, has_called
from iaiflow_lab.sdk.catalog import load_catalog

if TYPE_CHECKING:
    from iaiflow_agents.agent import Agent

#: The node type that can be talked with.
_TYPE: Final = "agent"
#: What a chat puts in the place of.
_ASKED: Final = frozenset({"prompt", "history", "untrusted"})
#: Settings whose texts may name inputs.
_TEXTS: Final = ("system", "user", "thread")
_RUN: Final = "Run the flow, and ask again."


@dataclass(frozen=True, slots=True)
class Partner:
    """An agent that can be talked with."""

    agent: ChatAgent
    #: What people call it.
    title: str
    spec: AgentSpec
    #: The node that a run of it has, without what is asked.
    node: Node
    #: Where relative paths of its run start.
    folder: Path
    #: What its flow gave it last, by port.
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: What its flow has not given it yet, although it needs it.
    missing: Sequence[str] = ()
    #: Which parameters of its flow feed it, by port.
    wired: Mapping[str, str] = field(default_factory=dict[str, str])
    #: The parameters of its flow, and their values in its last run.
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: Whose memory it has beside its own: a person's, a conversation's.
    user: str = ""
    thread: str = ""
    #: Whether strangers may have written some of what its flow gives it.
    untrusted: bool = False
    #: The agent itself, when it is one of the kernel.
    own: Agent | None = None


def find(root: Path, agent: ChatAgent, bound: Agent | None = None) -> Partner:
    """Return an agent.

    Args:
        root: The workspace.
        agent: Which one.
        bound: The one that the chat was opened for.

    Raises:
        NotFoundError: There is none.
        LabError: Its flow or its configuration can't be used.
    """
    if isinstance(agent, NodeAgent):
        return _of_node(root, kernel.read_flow(root, agent.flow), agent.path)
    if bound is not None and agent.name == name_of(bound):
        return _of_kernel(agent.name, bound)
    known = _in_variables()
    found = known.get(agent.name) or next(
        (one for one in known.values() if one.name == agent.name), None
    )
    if found is None:
        near = did_you_mean(agent.name, known)
        raise NotFoundError(
            f"The kernel has no agent {shorten(agent.name)!r}.",
            remedy=near or "Run the cell that makes it.",
            code="no-agent",
        )
    return _of_kernel(agent.name, found)


def listed(root: Path, first: ChatAgent | None, bound: Agent | None = None) -> list[dict[str, Any]]:
    """Return what pages are told of all agents of the kernel.

    Args:
        root: The workspace.
        first: The one that stands at the top.
        bound: The only one, when the chat was opened for it.
    """
    if bound is not None:
        return [_info(root, _of_kernel(name_of(bound), bound))]
    found: list[ChatAgent] = [KernelAgent(name) for name in _in_variables()]
    for flow in kernel.open_flows():
        nodes = flow.flow.nodes
        found += [NodeAgent(flow.path, id_) for id_ in nodes if nodes[id_].type == _TYPE]
    told = [_told(root, agent) for agent in ([] if first is None else [first]) + found]
    return [info for n, info in enumerate(told) if info["agent"] not in _agents(told[:n])]


def _agents(infos: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [info["agent"] for info in infos]


def name_of(agent: Agent) -> str:
    """Return the name of the variable that holds an agent, else its own."""
    names = [name for name, one in _in_variables().items() if one is agent]
    return names[0] if names else agent.name


def _in_variables() -> dict[str, Agent]:
    module = sys.modules.get("iaiflow_agents.agent")
    if module is None:  # nobody has made one
        return {}
    kind = module.Agent
    found: dict[str, Agent] = {}
    for name, value in kernel.variables().items():
        if isinstance(value, kind) and not any(value is one for one in found.values()):
            found[name] = cast("Agent", value)
    return found


def _of_kernel(name: str, agent: Agent) -> Partner:
    node = Node(agent.node.name, {})
    return Partner(KernelAgent(name), agent.name, agent.spec, node, kernel.folder(), own=agent)


def _of_node(root: Path, opened: kernel.OpenFlow, path: str) -> Partner:
    node = opened.flow.nodes.get(path)
    if "/" in path:
        raise InputError(
            f"{shorten(path)!r} stands inside of another node, where it has no inputs of its own.",
            remedy="Talk with an agent of the flow itself.",
            code="agent-inside",
        )
    if node is None or node.type != _TYPE:
        raise NotFoundError(
            f"{opened.path!r} has no agent {shorten(path)!r}.",
            remedy=did_you_mean(path, opened.flow.nodes) or "Open the flow and choose an agent.",
            code="no-agent",
        )
    config = {field: value for field, value in node.config.items() if field not in _ASKED}
    name = str(config.get("name") or path)
    fed = {edge.target_port: edge for edge in opened.flow.edges if edge.target == path}
    edges = [edge for port, edge in fed.items() if port not in _ASKED]
    wired = {edge.target_port: edge.source_port for edge in edges if edge.source == PARAMS}
    others = {edge.target_port for edge in edges} - wired.keys()
    arrived = opened.arrived.get(path, {})
    values = {port: arrived[port] for port in others & arrived.keys()}
    known = _parameters(opened)
    resolved = {port: known[parameter] for port, parameter in wired.items() if parameter in known}
    return Partner(
        NodeAgent(opened.path, path),
        name,
        agent_spec(name, {**config, **values, **resolved}),
        replace(node, config={**config, "name": name}, skip_if="", pin=None, join="all"),
        opened.folder,
        values,
        sorted((others - arrived.keys()) & _needed(config)),
        wired,
        opened.flow.parameters,
        {name: value for name, value in opened.inputs.items() if name in opened.flow.parameters},
        user=str(config.get("user", "")),
        thread=str(config.get("thread", "")),
        untrusted="untrusted" in fed
        or bool(node.config.get("untrusted"))
        or _is_given_strangers(root, opened, path, values),
    )


def _is_given_strangers(
    root: Path, opened: kernel.OpenFlow, path: str, ports: Collection[str]
) -> bool:
    """Say whether strangers may have written what edges give a node at some of its ports.

    Of what nodes have called by their context nothing more is known.
    """
    flow = opened.flow
    edges = [edge for edge in flow.edges if edge.source != PARAMS]
    sources = {edge.source for edge in edges if edge.target == path and edge.target_port in ports}
    if not sources:
        return False
    links = [(edge.source, edge.target) for edge in edges]
    before = topology.ancestors(sources, topology.predecessors(flow.nodes, links))
    nodes = {id_: flow.nodes[id_] for id_ in sources | before if id_ in flow.nodes}
    if any(has_called(id_, opened.completed) for id_ in nodes):
        return True
    return give_strangers(nodes.values(), load_catalog(root).signature)


def _parameters(opened: kernel.OpenFlow) -> dict[str, Any]:
    """Return the values of a flow's parameters, as far as they are known."""
    declared = opened.flow.parameters.items()
    defaults = {name: spec["default"] for name, spec in declared if "default" in spec}
    return {**defaults, **opened.inputs}


def _needed(config: Mapping[str, Any]) -> set[str]:
    """Return the inputs that an agent can't do without: its settings, and what its texts name."""
    from iaiflow_agents.nodes.agent import agent

    texts = [str(config.get(field, "")) for field in _TEXTS]
    named = [name for text in texts for name in template.parse(text).names]
    return {*inspect.signature(agent.target).parameters, *named}


def ensure_given(partner: Partner) -> None:
    """See that an agent has what it needs of its flow.

    Raises:
        InputError: It has not.
    """
    if partner.missing:
        raise InputError(_missing(partner), remedy=_RUN, code="not-given")


def _missing(partner: Partner) -> str:
    return f"Its flow has not given the agent {listed_names(partner.missing)} yet."


# -- what pages are told --------------------------------------------------------------------------


def _told(root: Path, agent: ChatAgent) -> dict[str, Any]:
    try:
        return _info(root, find(root, agent))
    except LabError as error:
        return {
            "agent": msgspec.to_builtins(agent),
            "title": agent.path if isinstance(agent, NodeAgent) else agent.name,
            "model": "",
            "is_scripted": False,
            "has_memory": False,
            "fault": str(error),
        }


def _info(root: Path, partner: Partner) -> dict[str, Any]:
    spec = partner.spec
    tools = [tool for tool in spec.tools if isinstance(tool, str)]
    return {
        "agent": msgspec.to_builtins(partner.agent),
        "title": partner.title,
        "model": spec.model.name,
        "is_scripted": is_scripted(spec.model),
        "has_memory": any(tool.startswith("memory.") for tool in tools),
        "fault": f"{_missing(partner)} {_RUN}" if partner.missing else _fault(root, spec.model),
    }


def is_scripted(choice: ModelChoice) -> bool:
    """Say whether a model plays a script."""
    try:
        return registry.parse(choice.name, base_url=choice.base_url).provider == "scripted"
    except LabError:
        return False


def _fault(root: Path, choice: ModelChoice) -> str:
    """Return why a model can't be asked, as far as one can tell without asking it."""
    config = {"model": choice.name, "base_url": choice.base_url, "key": choice.key}
    named = choice.key.removeprefix(PREFIX) if choice.key.startswith(PREFIX) else ""
    wanted = [named] if named else list(needed_keys(config, ()))
    try:
        registry.parse(choice.name, base_url=choice.base_url)
        known = kernel.secret_names(root) if wanted else ()
    except LabError as error:
        return str(error)
    return next((str(missing_key(choice.name, one)) for one in wanted if one not in known), "")
