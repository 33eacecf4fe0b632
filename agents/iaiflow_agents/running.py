"""Runs an agent inside a step: opens its model and tools, shows its trace, has sub-agents help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

from iaiflow_agents import blocks, compaction, prices
from iaiflow_agents.blocks import Message
from iaiflow_agents.budget import Meter, Price
from iaiflow_agents.calls import Caller
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.gate import Gate
from iaiflow_agents.loop import Ended, Talk, converse
from iaiflow_agents.models import registry
from iaiflow_agents.models.keys import check_address
from iaiflow_agents.models.limits import known, limits
from iaiflow_agents.models.protocol import ModelClient, Request, ToolSpec
from iaiflow_agents.plan import plan_tool
from iaiflow_agents.purse import Share
from iaiflow_agents.records import Records
from iaiflow_agents.spec import AgentSpec, ModelChoice
from iaiflow_agents.tools.box import open_tools
from iaiflow_agents.tools.nodes import tool_name
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_agents.trace import Trace
from iaiflow_agents.usage import Usage
from iaiflow_agents.work import Helped, Helper, Task, Work
from iaiflow_lab.errors import LabError, NodeError
from iaiflow_lab.model.event import StepOutput
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.strangers import TAINT

#: The port that shows the trace.
PORT: Final = "trace"
#: How deep agents may ask agents.
DEEPEST: Final = 5


@dataclass(frozen=True, slots=True)
class Result:
    """How an agent ended, and what people see of it."""

    ended: Ended
    trace: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that can be asked."""

    client: ModelClient
    #: Its id in requests.
    id: str
    price: Price
    choice: ModelChoice

    def request(self, **more: Any) -> Request:
        """Return what is the same in every call."""
        choice = self.choice
        return Request(
            self.id,
            (),
            max_tokens=choice.max_tokens,
            thinking=choice.thinking,
            effort=choice.effort,
            **more,
        )


async def open_model(choice: ModelChoice, ctx: Context, stack: AsyncExitStack) -> Opened:
    """Open a model until the stack is closed.

    Raises:
        InputError: config.toml, which may hold prices, can't be used.
        ModelFault: There is no such model, no key for it, or no script; or the key is a secret that
            the address may not be given.
    """
    check_address(choice.key, choice.base_url, ctx.allowed_hosts)
    client = await asyncio.to_thread(  # a keyring may ask a person
        registry.open_model,
        choice.name,
        secret=ctx.secret,
        base_url=choice.base_url,
        key=choice.key,
        script=choice.script,
    )
    stack.push_async_callback(client.aclose)
    id_ = registry.parse(choice.name, base_url=choice.base_url).model
    own = ctx.configured("prices")
    free = 0.0 if client.is_scripted else None  # nobody is paid for a script

    def price(usage: Usage) -> float | None:
        cost = prices.cost(id_, usage, own)
        return free if cost is None else cost

    return Opened(client, id_, price, choice)


def check_price(opened: Opened, meter: Meter, context: Context) -> None:
    """Refuse a limit of money that nobody could keep.

    Args:
        opened: The model.
        meter: The agent's limits.
        context: Has those of the run.

    Raises:
        ModelFault: No price of the model is known.
    """
    is_limited = meter.limits_cost or Share(context).limits_cost
    if is_limited and opened.price(Usage(input=1)) is None:
        raise ModelFault(
            f"No price of the model {opened.id!r} is known, so a limit of money can't be kept.",
            code="model-bad-request",
            remedy=(
                f'Write what it costs in config.toml, [prices."{opened.id}"] with input and '
                "output in dollars per million tokens, or limit max_tokens_total or max_steps"
            ),
        )


async def run_agent(
    spec: AgentSpec,
    reach: Reach,
    messages: Sequence[Message],
    *,
    tainted: bool = False,
) -> Result:
    """Run an agent as the work of a step, and show its trace on the step's port `trace`.

    Args:
        spec: The agent.
        reach: What its tools may reach.
        messages: The conversation; the user spoke last.
        tainted: Whether it holds words of strangers.

    Raises:
        NodeError: The model gives no answer, or a tool can't be opened.
    """
    return await _run(
        spec,
        reach,
        messages,
        records=Records(reach.context),
        meter=Meter(spec.budget),
        show=shower(reach.context),
        tainted=tainted,
    )


def shower(context: Context) -> Callable[[Mapping[str, Any], str], None]:
    """Return what shows a trace: the journal takes what it says in a few words, now and then."""
    count = 0

    def show(data: Mapping[str, Any], said: str) -> None:
        nonlocal count
        count += 1
        event = StepOutput(
            at=context.now(), step=context.step, port=PORT, preview=said, count=count
        )
        if said:
            context.record(event)
        words = said or f"{data['state']} {data['model']}"
        context.record(
            StepOutput(
                at=event.at,
                step=event.step,
                port=PORT,
                preview=words,
                count=count,
                value=dict(data),
            )
        )

    return show


async def _run(
    spec: AgentSpec,
    reach: Reach,
    messages: Sequence[Message],
    *,
    records: Records,
    meter: Meter,
    show: Callable[[Mapping[str, Any], str], None],
    tainted: bool,
    depth: int = 0,
) -> Result:
    async with AsyncExitStack() as stack:
        opened = await open_model(spec.model, reach.context, stack)
        check_price(opened, meter, reach.context)
        trace = Trace(
            spec.name,
            spec.model.name,
            spec.budget,
            show,
            is_scripted=opened.client.is_scripted,
        )
        tools = await _tools(spec, reach, records, stack)
        helpers = {
            tool_name(sub.name): _helper(sub, reach, meter, depth + 1) for sub in spec.agents
        }
        caller = Caller(
            records,
            opened.client,
            meter,
            opened.price,
            on_delta=trace.piece,
            on_pause=lambda why, pause: trace.move("waiting", f"{why} Again in {pause:,.0f} s."),
        )
        takes_over = frozenset(tool_name(sub.name) for sub in spec.agents if sub.takes_over)
        talk = Talk(
            records,
            caller,
            Gate(records, spec.policy, tools, trace, spec.ask_limit),
            Work(records, helpers, takes_over, meter, trace),
            meter,
            trace,
            opened.request(system=spec.system, tools=[_spec(tool) for tool in tools.values()]),
            compaction.room(await _max_input(opened, records), spec.model.max_tokens),
        )
        ended = await converse(talk, messages, tainted=tainted)
        return Result(ended, {**trace.data(), TAINT: ended.tainted})


async def _max_input(opened: Opened, records: Records) -> int | None:
    """Return how many tokens a model reads; of one that the table lacks its service may say it."""
    found = known(opened.id).max_input
    if found is not None or opened.client.is_scripted:
        return found

    async def ask() -> dict[str, Any]:
        try:
            return {"max_input": (await limits(opened.client, opened.id)).max_input}
        except ModelFault:  # what is wrong the agent's own question will say
            return {"max_input": None}

    record, _ = await records.once("limits", ask)
    return record["max_input"]


async def _tools(
    spec: AgentSpec, reach: Reach, records: Records, stack: AsyncExitStack
) -> dict[str, Tool]:
    """Return the agent's tools by the names that the model uses."""
    names = [tool for tool in spec.tools if isinstance(tool, str)]
    found = [tool for tool in spec.tools if isinstance(tool, Tool)]
    may_ask = any(name.startswith("mcp:") for name in names)  # whether a server may be started
    async with records.still() if may_ask else nullcontext():
        found += await stack.enter_async_context(open_tools(names, reach))
    found += [_asking(sub) for sub in spec.agents]
    if spec.plans:
        found.append(plan_tool())
    tools: dict[str, Tool] = {}
    for tool in found:
        if tool.name in tools:
            raise NodeError(
                f"Two tools are called {tool.name!r}.",
                where="tools",
                remedy="Name each once, or give one of them another name.",
                code="tool-invalid",
            )
        tools[tool.name] = tool
    return tools


def _spec(tool: Tool) -> ToolSpec:
    return ToolSpec(tool.name, tool.description, tool.schema)


# -- agents that help agents ----------------------------------------------------------------------


def _asking(sub: AgentSpec) -> Tool:
    """Return the tool by which an agent asks another one; what that does passes its own policy."""
    does = "It takes over and answers in your place." if sub.takes_over else "It answers you."
    return Tool(
        name=tool_name(sub.name),
        description=f"{sub.description or f'Ask the agent {sub.name}.'} {does}",
        schema={
            "type": "object",
            "properties": {
                "task": {
                    "type": "string",
                    "description": "All that it needs to know: it sees nothing else.",
                }
            },
            "required": ["task"],
            "additionalProperties": False,
        },
        call=_never,
        timeout=None,
        source=f"the agent {sub.name}",
    )


async def _never(call: ToolCall) -> ToolResult:
    raise AssertionError(call)  # helpers are called instead


def _helper(sub: AgentSpec, reach: Reach, above: Meter, depth: int) -> Helper:
    async def help_(asked: Task) -> Helped:
        task = asked.arguments.get("task")
        meter = Meter(sub.budget, above)
        if not isinstance(task, str) or not task.strip():
            result = ToolResult("task: say as a text what is to be done.", is_error=True)
            return Helped(result, meter.spent, {})
        if depth > DEEPEST:
            result = ToolResult("Agents ask agents too deeply here.", is_error=True)
            return Helped(result, meter.spent, {})
        own = replace(reach, agent=sub.name)
        try:
            made = await _run(
                sub,
                own,
                [blocks.user(task)],
                records=asked.records,
                meter=meter,
                show=lambda data, _: asked.show(data),
                tainted=asked.tainted,
                depth=depth,
            )
        except LabError as error:  # what it has spent until then counts, too
            return Helped(ToolResult(str(error), is_error=True), meter.spent, {})
        return Helped(_answer(made.ended), meter.spent, made.trace)

    return help_


def _answer(ended: Ended) -> ToolResult:
    note = f"[It stopped: {ended.reason}]" if ended.stopped else ""
    said = "\n".join(part for part in (ended.text, note) if part)
    is_error = bool(ended.stopped) and not ended.text
    return ToolResult(said or "(nothing)", is_error=is_error, untrusted=ended.tainted)
