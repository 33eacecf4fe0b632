"""What a step of an agent costs beside the model: ours with its journal, and others.

Every contender asks the same loopback server, or the same script, and calls the same tool.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from agent_runs import agent_lab, one
from benchmarks.report import Row, medians
from messages_api import MessagesAPI, call, say

from iaiflow_agents.tools.functions import CELL_TOOLS, tool
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, runs
from iaiflow_lab.worker.execute import execute_run
from iaiflow_lab.worker.stop import Stop

MODEL = "claude-sonnet-5-5"
_IMPORT = """
import sys
from time import perf_counter
{before}
started = perf_counter()
import {module}
print(perf_counter() - started)
"""


@tool
def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: One.
        b: The other.
    """
    return a + b


def measure(steps: int = 100, agents: int = 50, repeats: int = 5) -> list[Row]:
    """Return the rows; a step is an answer of the model and a call of a tool.

    Args:
        steps: Steps of one agent.
        agents: How many work at once.
        repeats: Of which the median is taken.
    """
    CELL_TOOLS["add"] = add
    try:
        for warm_up in (_ours, _ours_served, _langgraph):  # imports are measured by themselves
            warm_up(2)
        return [
            *_steps(steps, repeats),
            *_served(max(2, steps // 5), repeats),
            _many(agents, max(2, steps // 10)),
        ]
    finally:
        del CELL_TOOLS["add"]


def _steps(steps: int, repeats: int) -> list[Row]:
    """Measure without a network: what is said is there at once."""
    contenders: dict[str, Callable[[], float]] = {
        "ours": partial(_ours, steps),
        "ours, without a journal": partial(_ours, steps, journal=False),
        "LangGraph": partial(_langgraph, steps),
        "LangGraph with SqliteSaver": partial(_langgraph, steps, saved=True),
    }
    found, notes = medians(contenders, repeats)
    per_step = {name: seconds / steps * 1_000 for name, seconds in found.items()}
    ours = per_step.pop("ours", None)
    return [
        Row("a step of an agent, scripted", ours, "ms", peers=per_step, note="; ".join(notes)),
    ]


def _served(steps: int, repeats: int) -> list[Row]:
    """Measure against the loopback server, through the SDK."""
    contenders: dict[str, Callable[[], float]] = {
        "ours": partial(_ours_served, steps),
        "SDK in a loop": partial(_sdk, steps),
    }
    found, notes = medians(contenders, repeats)
    per_step = {name: seconds / steps * 1_000 for name, seconds in found.items()}
    ours = per_step.pop("ours", None)
    bare = per_step.get("SDK in a loop")
    return [
        Row("a step through the SDK", ours, "ms", floor=bare, note="; ".join(notes)),
        *_imports(repeats),
    ]


def _imports(repeats: int) -> list[Row]:
    def new(module: str) -> float:
        # node types are imported where others are
        before = "import iaiflow_nodes" if module == "iaiflow_agents.nodes" else ""
        code = _IMPORT.format(module=module, before=before)
        said = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return float(said.stdout)

    modules = ("iaiflow_agents", "iaiflow_agents.nodes", "anthropic", "langgraph.graph")
    found, notes = medians({name: partial(new, name) for name in modules}, repeats)
    ours, nodes = found.pop("iaiflow_agents", None), found.pop("iaiflow_agents.nodes", None)
    return [
        Row("import iaiflow_agents", ours, "s", 0.03, peers=found, note="; ".join(notes)),
        Row("import its node types", nodes, "s", 0.15),
    ]


def _many(agents: int, steps: int) -> Row:
    """Measure agents that work side by side in one run."""
    seconds = _run(Flow("many", nodes={f"n{i}": _node(steps) for i in range(agents)}), journal=True)
    note = f"{agents} agents of {steps} steps in one process"
    return Row("a step, many agents at once", seconds / agents / steps * 1_000, "ms", note=note)


def _script(steps: int) -> list[dict[str, Any]]:
    adding = {"text": "I add.", "calls": [{"tool": "add", "arguments": {"a": 1, "b": 2}}]}
    return [*[adding] * (steps - 1), {"text": "Done."}]


def _node(steps: int) -> Node:
    config = {"prompt": "Add.", "tools": ["add"], "max_steps": steps, "script": _script(steps)}
    return Node("agent", {**config, "model": "scripted"})


def _run(flow: Flow, *, journal: bool) -> float:
    """Run a flow in an empty workspace, recorded in a database or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        if not journal:
            lab = agent_lab(Path(folder))
            started = time.perf_counter()
            result = lab.run(flow, journal=None)
            assert result.error is None, result.error
            return time.perf_counter() - started
        with open_session(Path(folder)) as session:
            run_id = runs.start(session, flow, {}, load_catalog(None), runs.Options())
            owner = owner_name("worker", session.world.ids)
            claim = session.coordinator.claim(owner, ["default"])
            assert claim is not None
            started = time.perf_counter()
            execute_run(claim, session.coordinator, session.world, Stop())
            seconds = time.perf_counter() - started
            assert history.get(session, run_id).state == "completed"
            return seconds


def _ours(steps: int, *, journal: bool = True) -> float:
    return _run(Flow("one", nodes={"n": _node(steps)}), journal=journal)


def _langgraph(steps: int, *, saved: bool = False) -> float:
    """Run the same loop as a bare LangGraph graph."""
    from langgraph.graph import END, START, StateGraph

    async def think(state: Any) -> Any:
        return {"n": state["n"] + 1, "said": [*state["said"], "I add."]}

    async def act(state: Any) -> Any:
        return {"said": [*state["said"], str(add_numbers(1, 2))]}

    def add_numbers(a: int, b: int) -> int:
        return a + b

    graph: Any = StateGraph(_State)
    graph.add_node("think", think)
    graph.add_node("act", act)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", lambda s: "act" if s["n"] < steps else END, ["act", END])
    graph.add_edge("act", "think")

    async def measured(compiled: Any) -> float:
        config = {"recursion_limit": 3 * steps, "configurable": {"thread_id": "t"}}
        started = time.perf_counter()
        await compiled.ainvoke({"n": 0, "said": []}, config)
        return time.perf_counter() - started

    async def with_saver() -> float:
        if not saved:
            return await measured(graph.compile())
        try:
            from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
        except ModuleNotFoundError as error:
            message = "Run: pip install langgraph-checkpoint-sqlite"
            raise RuntimeError(message) from error

        with tempfile.TemporaryDirectory() as folder:
            async with AsyncSqliteSaver.from_conn_string(f"{folder}/x.db") as saver:
                return await measured(graph.compile(checkpointer=saver))

    return asyncio.run(with_saver())


class _State(TypedDict):
    """What flows through the graph."""

    n: int
    said: list[str]


def _turns(steps: int) -> list[Any]:
    return [*(say("I add.", call("add", a=1, b=2)) for _ in range(steps - 1)), say("Done.")]


def _ours_served(steps: int) -> float:
    with MessagesAPI(*_turns(steps)) as api, tempfile.TemporaryDirectory() as folder:
        config = {"prompt": "Add.", "tools": ["add"], "max_steps": steps}
        flow = one("agent", model=MODEL, base_url=api.url, key=api.key, **config)
        lab = agent_lab(Path(folder))
        started = time.perf_counter()
        result = lab.run(flow)
        assert result.error is None, result.error
        return time.perf_counter() - started


def _sdk(steps: int) -> float:
    """Run the same loop with nothing but the SDK."""
    import anthropic

    spec = {"name": "add", "description": "Adds.", "input_schema": {"type": "object"}}

    async def loop(api: MessagesAPI) -> float:
        async with anthropic.AsyncAnthropic(
            api_key=api.key, base_url=api.url, max_retries=0
        ) as client:
            messages: list[Any] = [{"role": "user", "content": "Add."}]
            started = time.perf_counter()
            while True:
                async with client.messages.stream(
                    model=MODEL, max_tokens=4096, messages=messages, tools=[spec]
                ) as stream:
                    async for _ in stream:
                        pass
                    reply = await stream.get_final_message()
                messages.append({"role": "assistant", "content": reply.content})
                uses = [block for block in reply.content if block.type == "tool_use"]
                if not uses:
                    return time.perf_counter() - started
                results = [
                    {"type": "tool_result", "tool_use_id": use.id, "content": "3"} for use in uses
                ]
                messages.append({"role": "user", "content": results})

    with MessagesAPI(*_turns(steps)) as api:
        return asyncio.run(loop(api))
