"""An agent as a step of a flow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from iaiflow_agents.nodes.fields import (
    MODEL,
    Count,
    Effort,
    Positive,
    Steps,
    Tokens,
    model_faults,
    needed_keys,
)
from iaiflow_agents.said import Said
from iaiflow_agents.taint import strange_inputs
from iaiflow_lab.model.signature import Fault
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.annotations import Json, Secret, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.strangers import tells


def _check(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with the configuration."""
    from iaiflow_agents.configured import agent_faults

    yield from model_faults(config, wired)
    yield from agent_faults(config, wired)


@node("agent", category="Agents", title="Agent", effects="write", check=_check, needs=needed_keys)
@tells
async def agent(
    ctx: Context,
    history: Json = None,
    *,
    prompt: Template,
    system: Template = "",
    model: str = MODEL,
    tools: list[str] | None = None,
    policy: list[str | dict[str, Any]] | None = None,
    agents: list[dict[str, Any]] | None = None,
    max_steps: Steps | None = 50,
    max_tokens_total: Count | None = None,
    max_cost: Positive | None = None,
    max_seconds: Positive | None = None,
    max_run_cost: Positive | None = None,
    on_budget: Literal["stop", "fail"] = "stop",
    on_ask: Literal["wait", "deny"] = "wait",
    ask_limit: Positive | None = None,
    untrusted: bool = False,
    plan: bool = False,
    max_tokens: Tokens = 4096,
    thinking: bool = False,
    effort: Effort = "",
    base_url: str = "",
    key: Secret = "",
    script: Json = None,
    name: str = "",
    user: Template = "",
    thread: Template = "",
    **inputs: Any,
) -> Said:
    """Let a model work on a task with tools, until it is done or a limit is reached.

    Whatever it says and every call of a tool is recorded: a run that goes on elsewhere repeats
    nothing. Tools that write or send are asked about first, unless a rule allows them; the run
    waits for the answer, for days if need be.

    Args:
        history: An earlier conversation to go on with, such as `messages` of another agent.
        prompt: The task, such as `Summarise: {{document}}`.
        system: Instructions that stand above the conversation.
        model: Such as `claude-sonnet-5-5`, `openai:NAME`, `scripted`.
        tools: What it may use: memory.search, sql, fetch, files.read, python, node:TYPE, flow:PATH,
            mcp:SERVER, or functions of the notebook by name.
        policy: What it may do: `allow: sql(select *)`, `ask: fetch`, `deny: files.write(*.py)`.
        agents: Agents that it may ask, each with name, description, system, tools.
        max_steps: How often the model may be asked.
        max_tokens_total: How many tokens all of it may take.
        max_cost: How many dollars it may take.
        max_seconds: How many seconds of work it may take; waiting for people does not count.
        max_run_cost: How many dollars all agents of the run may take together.
        on_budget: Whether it ends with what was done so far, or fails, when a limit is reached.
        on_ask: Whether a person is asked, or the call refused, where the policy says ask.
        ask_limit: How long an answer is waited for, in seconds; for ever when left out.
        untrusted: Whether the prompt holds what strangers wrote, as a page or a mail does.
        plan: Whether it keeps a list of what is to be done.
        max_tokens: How long one answer may be, in tokens.
        thinking: Whether the model may think aloud.
        effort: How much trouble it takes.
        base_url: Address of another server that speaks the Messages API, such as llama.cpp's.
        key: The secret with the key: `secret:NAME`; the provider's usual one when left empty.
        script: What a scripted model says, turn by turn.
        name: What people call the agent; the node's id when empty.
        user: The person whose memory it uses.
        thread: The conversation whose memory it uses.
        inputs: Values for the texts; a table is seen by `sql` under its name.
    """
    from iaiflow_agents import configured
    from iaiflow_agents.running import run_agent
    from iaiflow_agents.tools.reach import Reach

    tables = {port: value for port, value in inputs.items() if values.is_table(value)}
    spec = configured.agent_spec(
        name or ctx.node_id,
        {
            "system": system,
            "model": model,
            "tools": tools,
            "policy": policy,
            "agents": agents,
            "max_steps": max_steps,
            "max_tokens_total": max_tokens_total,
            "max_cost": max_cost,
            "max_seconds": max_seconds,
            "max_run_cost": max_run_cost,
            "on_ask": on_ask,
            "ask_limit": ask_limit,
            "plan": plan,
            "max_tokens": max_tokens,
            "thinking": thinking,
            "effort": effort,
            "base_url": base_url,
            "key": key,
            "script": script,
        },
    )
    messages = configured.conversation(history, prompt)
    tainted, strange = await strange_inputs(ctx, tables, untrusted=untrusted)
    reach = Reach(ctx, tables, strange_tables=strange, agent=spec.name, user=user, thread=thread)
    return configured.said(await run_agent(spec, reach, messages, tainted=tainted), on_budget)
