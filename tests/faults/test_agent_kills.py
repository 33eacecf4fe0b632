"""Agents whose workers are killed: they go on from where they were, and pay for nothing twice."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from worker_mother import Mother

from iaiflow_lab.errors import ConflictError, NotFoundError
from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState
from iaiflow_lab.service import history, waits

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(3_600)]

#: What a worker reaches while it executes an agent, with how often it may.
POINTS = {
    "append.before_commit": 12,
    "append.after_commit": 12,
    "step.before_call": 5,
    "step.after_call": 4,
    "settle.before_commit": 1,
    "settle.after_commit": 1,
    "claim.after_commit": 1,
}
TOOLS = """
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.send", effects="write")
def send(ctx: Context, *, text: str) -> str:
    \"\"\"Send a text.\"\"\"
    with (ctx.workspace / "sent.txt").open("a") as out:
        out.write(f"{ctx.run_id} {text} {ctx.idempotency_key}\\n")
    return f"sent {text}"
"""


def call(tool, **arguments):
    return {"tool": tool, "arguments": arguments}


SCRIPT = [
    {"text": "I count.", "calls": [call("probe_step"), call("probe_step", before=3)]},
    {"text": "I send.", "calls": [call("toy_send", text="a"), call("toy_send", text="b")]},
    {"text": "I count again.", "calls": [call("probe_step", before=8)]},
    {"text": "Done: {{last}}"},
]
CONFIG = {
    "prompt": "Go.",
    "model": "scripted",
    "script": SCRIPT,
    "tools": ["node:probe.step", "node:toy.send"],
    "policy": ["allow: node:probe.step"],
}
FLOW = {
    "format": "iaiflow/1",
    "name": "Agent",
    "nodes": {"n": {"type": "agent", "config": CONFIG}},
    "edges": [],
}


def usage_of(events):
    """Return what all recorded answers took."""
    found = [e.output.inline for e in events if isinstance(e, ev.SubstepRecorded)]
    totals = Counter()
    for record in found:
        totals.update((record or {}).get("usage", {}))
    return totals


def check_end(site, run_id):
    run = site.run(run_id)
    assert run.state is RunState.COMPLETED, run.error
    site.check_promise(run_id)
    events = [event for _, event in history.events(site.session, run_id)]
    keys = Counter(e.key for e in events if isinstance(e, ev.SubstepRecorded))
    assert set(keys.values()) == {1}
    assert sum(key.startswith("model:") for key in keys) == 4
    assert sum(key.startswith("tool:") for key in keys) == 5
    (end,) = [e for e in events if isinstance(e, ev.StepFinished) and e.step == "n"]
    assert end.outputs["text"].inline == "Done: 9"
    totals, taken = end.outputs["usage"].inline, usage_of(events)
    assert (totals["steps"], totals["input"]) == (4, taken["input"])
    assert totals["output"] == taken["output"]
    sent = (site.folder / "sent.txt").read_text().splitlines()
    mine = [line.split()[1:] for line in sent if line.startswith(run_id)]
    assert {text for text, _ in mine} == {"a", "b"}
    assert len({key for _, key in mine}) == 2  # made again, a call has the key that it had


def test_kills_at_any_moment_of_an_agent_with_tools_and_approvals(make_site, soak):
    site = make_site(lease_s=600.0, durability="sync", max_attempts=1_000)
    (site.folder / "flow_nodes" / "toys.py").write_text(TOOLS)
    rng = Random(6)
    killed, wanted = 0, soak(10, 200)
    with Mother(site.folder) as mother:
        while killed < wanted:
            run_id = site.start(FLOW)
            in_a_row = 0
            while site.state(run_id) is not RunState.COMPLETED:
                point = rng.choice(list(POINTS))
                arrival = rng.randint(1, POINTS[point])
                mother.start(**({CRASH_AT: f"{point}:{arrival}"} if in_a_row < 8 else {}))
                status = mother.status()
                site.session.coordinator.sweep()
                assert status in {0, CRASH_STATUS}
                assert site.state(run_id) is not RunState.FAILED, site.run(run_id).error
                killed += status == CRASH_STATUS
                in_a_row = in_a_row + 1 if status else 0
                if site.state(run_id) is RunState.WAITING:
                    for _ in range(rng.randint(1, 2)):
                        answer(site, run_id)
            check_end(site, run_id)


def answer(site, run_id):
    """Approve what is asked next, if anything is."""
    with suppress(ConflictError, NotFoundError):
        waits.approve(site.session, run_id, "n")


def test_kills_give_no_more_of_a_runs_budget(make_site):
    site = make_site(lease_s=600.0, durability="sync", max_attempts=1_000)
    script = [{"text": "On.", "calls": [call("probe_step")]}] * 9
    looking = {**CONFIG, "script": script, "tools": ["node:probe.step"]}
    nodes = {name: {"type": "agent", "config": looking} for name in ("a", "b")}
    edges = ["a.text -> b.before"]
    flow = {"format": "iaiflow/1", "name": "Agents", "nodes": nodes, "edges": edges}
    nodes["a"]["config"] = {**looking, "max_steps": 3}
    run_id = site.start(flow, budget={"calls": 5})
    killed = 0
    with Mother(site.folder) as mother:
        while site.state(run_id) is not RunState.COMPLETED:
            mother.start(**({CRASH_AT: "append.after_commit:5"} if killed < 20 else {}))
            killed += mother.status() == CRASH_STATUS
            site.session.coordinator.sweep()
            assert site.state(run_id) is not RunState.FAILED, site.run(run_id).error
    assert killed > 1
    events = [event for _, event in history.events(site.session, run_id)]
    asked = [(e.step, e.key) for e in events if isinstance(e, ev.SubstepRecorded)]
    models = [step for step, key in asked if key.startswith("model:")]
    assert Counter(models) == {"a": 3, "b": 2}
    ends = [e for e in events if isinstance(e, ev.StepFinished) and e.step in nodes]
    assert [e.outputs["stopped"].inline for e in ends] == ["budget-steps"] * 2
