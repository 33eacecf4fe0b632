from __future__ import annotations

import json
from dataclasses import replace

import pytest

from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.data import to_data
from iaiflow_lab.model.flow import Edge, Flow, Node
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import debugging, flows, runs

PATH = "example.flow.json"
OWNER = "worker:elsewhere:1:1:x"


@pytest.fixture
def saved(session, flow, types):
    return flows.save(session, PATH, flow, types)


def ended(step, *, node="", type_="echo", state=StepState.COMPLETED, **outputs):
    error = ev.ErrorInfo("ValueError", "No geese.", step) if state is StepState.FAILED else None
    return ev.StepFinished(
        at=2.0, step=step, node=node or step, type=type_, state=state, outputs=outputs, error=error
    )


def execute(session, *events, end=RunState.FAILED):
    claim = session.coordinator.claim(OWNER, ["default"])
    session.coordinator.start(claim.run_id, claim.fence)
    session.coordinator.append(claim.run_id, claim.fence, events)
    session.coordinator.settle(claim.run_id, claim.fence, Settlement(end))
    return claim


def given(session, found):
    return {a.name: debugging.value_of(session, a) for a in found.arrivals if not a.missing}


def test_a_failed_step_is_given_what_its_edges_carried(session, types, saved):
    run_id = runs.start(session, PATH, {"n": 3}, types)
    stored = ev.OutputRef("json", artifact=session.store.artifacts.put(b"[1, 2]"), size=6)
    execute(session, ended("first", out=stored), ended("second", state=StepState.FAILED))
    found = debugging.inputs_of(session, run_id, "", types)
    assert (found.step, found.error.message) == ("second", "No geese.")
    assert given(session, found) == {"x": [1, 2]}
    assert given(session, debugging.inputs_of(session, run_id, "first", types)) == {"x": "ducks"}
    # an edge whose source gave nothing carries nothing
    execute_third = ended("third", state=StepState.SKIPPED)
    again = runs.retry(session, run_id, types)
    execute(session, ended("first", out=stored), execute_third)
    assert debugging.inputs_of(session, again, "third", types).arrivals == ()


def test_a_live_value_is_said_to_be_gone(session, types, saved):
    run_id = runs.start(session, PATH, {"n": 3}, types)
    live = ev.OutputRef("live", preview="<Model>")
    execute(session, ended("first", out=live), ended("second", state=StepState.FAILED))
    [arrival] = debugging.inputs_of(session, run_id, "second", types).arrivals
    assert "stayed in its process (<Model>)" in arrival.missing
    with pytest.raises(NotFoundError, match="run that node again"):
        debugging.value_of(session, arrival)


def test_steps_inside_of_others_see_their_neighbours(session, types):
    inner = Flow("inner", nodes={"a": Node("echo"), "b": Node("echo")})
    inner = replace(
        inner,
        parameters={"item": {"type": "integer"}},
        edges=(Edge("a", "out", "b", "x"), Edge("params", "item", "a", "x")),
    )
    outer = Flow("outer", nodes={"sub": Node("subflow", {"body": to_data(inner)})})
    flows.save(session, "outer.flow.json", outer, types)
    run_id = runs.start(session, "outer.flow.json", {}, types)
    execute(
        session,
        ended("sub/a", node="a", out=ev.OutputRef("json", inline=7)),
        ended("sub/b", node="b", state=StepState.FAILED),
        ended("sub", type_="subflow", state=StepState.FAILED),
    )
    found = debugging.inputs_of(session, run_id, "", types)
    assert (found.step, given(session, found)) == ("sub/b", {"x": 7})
    # nothing was wired into the body's parameter, and it has no default
    assert debugging.inputs_of(session, run_id, "sub/a", types).arrivals == ()


def test_written_inputs_and_parameters_of_notebooks_are_given(session, types, workspace):
    written = Flow("written", nodes={"a": Node("echo", {"x": 5})})
    run_id = runs.start(session, written, {}, types)
    execute(session, ended("a", state=StepState.FAILED))
    assert given(session, debugging.inputs_of(session, run_id, "", types)) == {"x": 5}
    cell = {
        "cell_type": "code",
        "id": "a",
        "source": "limit: int = 1",
        "metadata": {"tags": ["parameters"]},
        "outputs": [],
        "execution_count": None,
    }
    data = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (workspace / "report.ipynb").write_text(json.dumps(data))
    run_id = runs.start(session, "report.ipynb", {"limit": 9}, types)
    execute(session, ended("notebook", type_="notebook", state=StepState.FAILED))
    assert given(session, debugging.inputs_of(session, run_id, "", types)) == {"limit": 9}


def test_what_is_not_there_is_said(session, types, saved):
    run_id = runs.start(session, PATH, {"n": 3}, types)
    execute(session, ended("first"), end=RunState.COMPLETED)
    with pytest.raises(NotFoundError, match=r"No step of run .* failed"):
        debugging.inputs_of(session, run_id, "", types)
    with pytest.raises(NotFoundError, match=r"has no step 'firts'.*first"):
        debugging.inputs_of(session, run_id, "firts", types)


def test_a_retry_from_a_node_executes_what_follows_it(session, types, flow, saved):
    run_id = runs.start(session, PATH, {"n": 1}, types)
    done = [ended(step) for step in ("first", "second", "third", "aside")]
    execute(session, *done, end=RunState.COMPLETED)
    runs.retry(session, run_id, types, start="second")
    assert {step.step for step in execute(session).replay} == {"first", "aside"}
    with pytest.raises(NotFoundError, match=r"no node 'secund'.*second"):
        runs.retry(session, run_id, types, start="secund")
    # the newest version: a changed node is executed as well, a title changes nothing
    nodes = dict(flow.nodes) | {
        "aside": Node("needy"),
        "first": replace(flow.nodes["first"], title="The first"),
    }
    flows.save(session, PATH, replace(flow, nodes=nodes), types)
    runs.retry(session, run_id, types, start="third", latest=True)
    assert {step.step for step in execute(session).replay} == {"first", "second"}
