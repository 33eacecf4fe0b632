"""An agent on a canvas: it is watched while it works, asked for, answered, and stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from agent_runs import Toolbox, calls

from iaiflow_agents.tools.functions import CELL_TOOLS
from iaiflow_lab.canvas.comm import renew_all

#: Two calls that somebody is asked about, and what they gave.
SCRIPT = [
    {"text": "I send two.", "calls": calls("send", {"text": "one"}, {"text": "two"})},
    {"text": "Sent."},
]


@pytest.fixture
def toolbox() -> Iterator[Toolbox]:
    """Return tools that note how they were called."""
    before = dict(CELL_TOOLS)
    yield Toolbox()
    CELL_TOOLS.clear()
    CELL_TOOLS.update(before)


def flow_of_agent(flow_text) -> str:
    config = {"prompt": "Go.", "model": "scripted", "script": SCRIPT, "tools": ["send"]}
    return flow_text({"a": {"type": "agent", "config": config}})


def trace_of(known) -> dict[str, Any]:
    """Return the trace that the canvas shows."""
    shown = known.nodes.get("a", {}).get("outputs", {}).get("trace", {"text": "{}"})
    assert shown.get("kind", "json") == "json"
    return json.loads(shown["text"])


def open_asks(known) -> list[dict[str, Any]]:
    """Return the questions that the canvas shows."""
    state = known.nodes.get("a", {"wait": None, "more_waits": []})
    return [wait for wait in [state["wait"], *state["more_waits"]] if wait]


def asking(canvas, flow_text) -> Any:
    """Start the agent on a canvas and wait until it asks."""
    text = flow_of_agent(flow_text)
    canvas.open(text)
    canvas.ask("run", text=text, mode="all")
    canvas.until(lambda known: len(open_asks(known)) == 2)
    return canvas.until(lambda known: trace_of(known).get("state") == "asking")


def test_a_tool_that_no_cell_has_made_yet_is_a_problem(canvas, flow_text, toolbox) -> None:
    one = canvas()
    (problem,) = one.open(flow_of_agent(flow_text))["problems"]
    assert (problem["node"], problem["field"]) == ("a", "tools")
    assert "no tool 'send'" in problem["message"]
    toolbox.add("send")
    renew_all()  # as after each cell
    assert one.pushed("problems") == []


def test_each_call_is_answered_by_its_key(canvas, flow_text, toolbox) -> None:
    toolbox.add("send", lambda text: f"sent {text}", sends=True)
    one = canvas()
    seen = asking(one, flow_text)
    first, second = (f"{wait['step']}#{wait['key']}" for wait in open_asks(seen))
    shown = trace_of(seen)
    assert [call["state"] for call in shown["turns"][0]["calls"]] == ["asking", "asking"]
    assert shown["turns"][0]["text"] == "I send two."
    one.ask("answer", step=second, outcome="refused", reason="Enough.")
    changed = {"decision": "change", "arguments": {"text": "ONE"}}
    one.ask("answer", step=first, outcome="approved", value=changed)
    seen = one.until(lambda known: known.run["state"] == "completed")
    assert toolbox.called == [("send", "ONE")]
    assert open_asks(seen) == []
    seen = one.until(lambda known: "stopped" in known.nodes["a"]["outputs"])
    ended = trace_of(seen)
    assert ended["state"] == "done"
    assert [call["state"] for call in ended["turns"][0]["calls"]] == ["done", "refused"]


def test_what_it_did_stays_in_sight_when_it_is_stopped(canvas, flow_text, toolbox) -> None:
    toolbox.add("send", lambda text: f"sent {text}", sends=True)
    one = canvas()
    asking(one, flow_text)
    one.ask("stop")
    seen = one.until(lambda known: known.run["state"] == "cancelled")
    assert open_asks(seen) == []
    assert toolbox.called == []
    assert trace_of(seen)["turns"][0]["text"] == "I send two."
