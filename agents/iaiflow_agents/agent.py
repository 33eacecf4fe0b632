"""An agent in Python: `Agent("analyst", tools=[mean, "sql"]).run("Which month is the worst?")`."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from iaiflow_agents.budget import Budget
from iaiflow_agents.configured import conversation, said
from iaiflow_agents.models.registry import MODEL
from iaiflow_agents.policy import read_policy
from iaiflow_agents.running import run_agent
from iaiflow_agents.said import Said
from iaiflow_agents.spec import AgentSpec, ModelChoice, Script
from iaiflow_agents.taint import strange_inputs
from iaiflow_agents.tools.box import tool_faults
from iaiflow_agents.tools.functions import tool
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.tool import Tool
from iaiflow_lab.errors import InputError, NodeError
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.annotations import Json, Template
from iaiflow_lab.sdk.builder import NodeRef, current_builder
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import CELL_TYPES, NodeType
from iaiflow_lab.sdk.strangers import tells

if TYPE_CHECKING:
    from iaiflow_agents.chat.widget import Chat
    from iaiflow_lab.lab.flow import Flow
    from iaiflow_lab.lab.run import Run

_NODE: Final = "agent"

#: What an agent may use: a typed function, a tool, a node type, another agent, or a tool's name.
Usable = str | Tool | NodeType[..., Any] | Callable[..., Any]


@dataclass(frozen=True, slots=True)
class AgentRun:
    """What an agent did and said; printing it prints what it said."""

    #: What it said last.
    text: str
    #: The whole conversation, as blocks of the Messages API.
    messages: Sequence[Mapping[str, Any]]
    #: Turns, calls of tools and totals, as the canvas shows them.
    trace: Mapping[str, Any]
    #: Why it did not end by itself, such as `budget-cost`; "" when it did.
    stopped: str
    #: Tokens, cost and time.
    usage: Mapping[str, Any]
    #: The run in the workspace's history.
    run: Run

    def __str__(self) -> str:
        """Return what it said."""
        return self.text

    def __repr__(self) -> str:
        return f"{self.text}\n[stopped: {self.stopped}]" if self.stopped else self.text


class Agent:
    """A model with tools, rules and limits. Its runs are runs of a flow with one node.

    Args:
        name: What people call it.
        model: Such as `claude-sonnet-5-5`, `openai:NAME`, `scripted`.
        system: Instructions that stand above the conversation.
        tools: Typed functions, tools, node types, other agents, or names: "sql", "memory.search",
            "node:TYPE", "flow:PATH", "mcp:SERVER".
        policy: Rules such as "allow: sql(select *)" and "deny: files.write".
        budget: Hard limits.
        description: What it is for, for agents that may ask it.
        takes_over: Whether its answer, when another agent asks it, is that agent's own.
        on_ask: Whether a person is asked, or the call refused, where the policy says ask.
        ask_limit: How long an answer is waited for, in seconds; None: for ever.
        plan: Whether it keeps a list of what is to be done.
        max_tokens: Most tokens of one answer.
        thinking: Whether the model may think aloud.
        effort: How much trouble it takes: "low" to "max".
        base_url: Address of another server that speaks the Messages API.
        key: `secret:NAME`; the provider's usual secret when empty.
        script: What a scripted model says, turn by turn.

    Raises:
        NodeError: A rule, a limit or a function cannot be used, or a tool is not known.
    """

    def __init__(  # noqa: PLR0913 - what an agent is
        self,
        name: str = "agent",
        *,
        model: str = MODEL,
        system: str = "",
        tools: Iterable[Usable | Agent] = (),
        policy: Iterable[str | Mapping[str, Any]] = (),
        budget: Budget | None = None,
        description: str = "",
        takes_over: bool = False,
        on_ask: Literal["wait", "deny"] = "wait",
        ask_limit: float | None = None,
        plan: bool = False,
        max_tokens: int = 4096,
        thinking: bool = False,
        effort: str = "",
        base_url: str = "",
        key: str = "",
        script: Script | None = None,
    ) -> None:
        given = list(tools)
        self.spec: Final = AgentSpec(
            name=name,
            model=ModelChoice(model, base_url, key, script, max_tokens, thinking, effort),
            system=system,
            description=description,
            tools=tuple(_usable(one) for one in given if not isinstance(one, Agent)),
            agents=tuple(one.spec for one in given if isinstance(one, Agent)),
            policy=read_policy(policy, on_ask),
            budget=budget or Budget(),
            ask_limit=ask_limit,
            takes_over=takes_over,
            plans=plan,
        )
        self._numbers = count(1)
        self._inputs: dict[str, Mapping[str, Any]] = {}
        #: The runs that go on; several may at the same time.
        self._going: set[str] = set()
        #: The agent as a node type of this notebook: `cell.NAME`.
        self.node: Final = self._node_type()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.spec.name

    def __call__(self, **wired: Any) -> NodeRef:
        """Add the agent to the flow that is being drawn: `analyst(prompt="...", table=read.out)`.

        Raises:
            InputError: No flow is being drawn.
        """
        builder = current_builder()
        if builder is None:
            raise InputError(
                f"The agent {self.name!r} is called outside of a flow.",
                remedy=f"Use {self.name}.run('...'), or call it inside `with Flow(...):`.",
            )
        return builder.add(self.node.name, **wired)

    def run(
        self, prompt: str, /, *, history: Any = None, show: bool = True, **inputs: Any
    ) -> AgentRun:
        """Let the agent work, show what it does, and wait for its end; an interrupt cancels it.

        Args:
            prompt: The task.
            history: An earlier run of an agent, or its messages, to go on with.
            show: Whether the run is shown while it goes on.
            **inputs: Values for `{{name}}` in the texts; tables, which `sql` sees by their names.

        Raises:
            RunError: The model gave no answer, or the run was cancelled.
        """
        with self._flow(prompt, history, inputs) as flow:
            return _outcome(flow.run(fresh=True, show=show))

    async def arun(
        self, prompt: str, /, *, history: Any = None, show: bool = True, **inputs: Any
    ) -> AgentRun:
        """Do the same as `run` without blocking: `said = await agent.arun("...")`."""
        with self._flow(prompt, history, inputs) as flow:
            return _outcome(await flow.arun(fresh=True, show=show))

    def chat(self, *, height: int = 560) -> Chat:
        """Return a chat with the agent; the last line of a cell shows it.

        Each question is a run of its own. Threads are kept in the workspace, without secrets.

        Args:
            height: Height of the chat, in pixels, from 240 to 4,000.

        Raises:
            InputError: The height is out of range.
            NotFoundError: The browser side of the chat was not built.
        """
        from iaiflow_agents.chat.widget import Chat

        return Chat(self, height=height)

    @contextmanager
    def _flow(self, prompt: str, history: Any, inputs: Mapping[str, Any]) -> Generator[Flow]:
        """Give the flow of one run; its inputs stay until another begins after its end."""
        from iaiflow_lab import Flow

        given = str(next(self._numbers))  # counted, so that a notebook that goes on finds its run
        messages = history.messages if isinstance(history, AgentRun) else history
        plain = {name: value for name, value in inputs.items() if values.is_json(value)}
        for over in self._inputs.keys() - self._going:
            self._inputs.pop(over, None)
        self._inputs[given] = {"history": messages, **inputs}
        CELL_TYPES[self.node.name] = self.node
        flow = Flow(self.name)
        config = {**plain, "prompt": prompt, "given": given}
        if isinstance(history, AgentRun) and history.trace.get("untrusted"):
            config["untrusted"] = True
        flow.add(self.node.name, id=_NODE, config=config)
        self._going.add(given)
        try:
            yield flow
        finally:
            self._going.discard(given)

    def _node_type(self) -> NodeType[..., Any]:
        @tells
        async def agent(
            ctx: Context,
            history: Json = None,
            *,
            prompt: Template,
            given: str = "",
            untrusted: bool = False,
            **inputs: Any,
        ) -> Said:
            live = {**self._inputs.get(given, {}), **inputs}
            messages = conversation(live.pop("history", None) or history, prompt)
            tables = {name: value for name, value in live.items() if values.is_table(value)}
            spec = self.spec
            tainted, strange = await strange_inputs(ctx, tables, untrusted=untrusted)
            reach = Reach(ctx, tables=tables, strange_tables=strange, agent=spec.name)
            return said(await run_agent(spec, reach, messages, tainted=tainted))

        agent.__doc__ = self.spec.description or f"Let the agent {self.name} work on a task."
        word = re.sub(r"\W+", "_", self.name).strip("_") or "agent"
        made: NodeType[..., Any] = NodeType(
            name=f"cell.{word}",
            target=agent,
            category="Notebook",
            title=self.name,
            effects="write",
        )
        CELL_TYPES[made.name] = made
        return made


def _usable(given: Usable) -> str | Tool:
    if isinstance(given, str):
        for fault in tool_faults([given]):
            raise NodeError(fault.message, where="tools", remedy=fault.remedy, code="tool-unknown")
        return given
    if isinstance(given, Tool):
        return given
    if isinstance(given, NodeType):
        return f"node:{cast('NodeType[..., Any]', given).name}"
    return tool(given)


def _outcome(run: Run) -> AgentRun:
    outputs = dict(run[_NODE].outputs)
    return AgentRun(
        text=outputs["text"],
        messages=outputs["messages"],
        trace=outputs["trace"],
        stopped=outputs["stopped"],
        usage=outputs["usage"],
        run=run,
    )
