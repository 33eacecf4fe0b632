from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from iaiflow_lab.errors import (
    ConflictError,
    FlowError,
    InputError,
    NotebookError,
    NotFoundError,
    StaleFenceError,
)
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.file import dump
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import flows, history, recording, runs
from iaiflow_lab.service.runs import Options

PATH = "example.flow.json"
OWNER = "worker:elsewhere:1:1:x"


@pytest.fixture(autouse=True)
def saved(session, flow, types):
    return flows.save(session, PATH, flow, types)


def finished(step, state=StepState.COMPLETED, **more):
    return ev.StepFinished(at=2.0, step=step, node=step, type="echo", state=state, **more)


def execute(session, *events, end=RunState.COMPLETED):
    coordinator = session.coordinator
    claim = coordinator.claim(OWNER, ["default"])
    coordinator.start(claim.run_id, claim.fence)
    coordinator.append(claim.run_id, claim.fence, events)
    if end is not None:
        coordinator.settle(claim.run_id, claim.fence, Settlement(end))
    return claim


def test_a_started_run_has_its_inputs_and_defaults(session, types, saved):
    run_id = runs.start(session, PATH, {"n": 3}, types, Options(priority=-5, timeout=9))
    claim = execute(session)
    assert claim.inputs == {"n": 3, "topic": "ducks"}
    assert (claim.version, claim.source, claim.timeout) == (saved.version, PATH, 9)
    view = history.get(session, run_id)
    assert (view.state, view.flow, view.priority) == (RunState.COMPLETED, PATH, -5)
    assert view.started_at <= view.ended_at


def test_a_run_shows_its_steps_costs_and_files(session, types):
    run_id = runs.start(session, PATH, {"n": 3}, types)
    usage = ev.Usage(duration_s=0.5, rows=7, bytes=70)
    digest = session.store.artifacts.put(b"report")
    execute(
        session,
        ev.StepStarted(at=1.0, step="first", node="first", type="echo"),
        ev.StepLog(at=1.1, step="first", stream="stdout", text="hello"),
        ev.StepLog(at=1.1, step="firsts", stream="stdout", text="not this"),
        ev.StepMetric(at=1.2, step="first", name="tokens", value=12),
        ev.StepMetric(at=1.2, step="first", name="tokens", value=30),
        ev.StepMetric(at=1.2, step="first", name="cost", value=0.25),
        ev.ArtifactMade(at=1.3, step="first", name="report.txt", artifact=digest, size=6),
        finished("first", usage=usage, outputs={"out": ev.OutputRef("json", inline=1)}),
        ev.StepStarted(at=3.0, step="second", node="second", type="echo"),
        end=None,
    )
    view = history.get(session, run_id)
    assert (view.tokens, view.cost) == (42, 0.25)
    first, second = view.steps
    assert (first.state, first.started_at, first.rows, first.duration_s) == (
        StepState.COMPLETED,
        1.0,
        7,
        0.5,
    )
    assert first.outputs["out"].inline == 1
    assert (second.state, second.outputs) == (StepState.RUNNING, {})
    assert [line.text for _, line in history.logs(session, run_id, "first")] == ["hello"]
    [file] = history.artifacts(session, run_id)
    assert (file.name, file.path.read_bytes()) == ("report.txt", b"report")


def test_logs_are_read_by_the_page(session, flow, types):
    run_id = runs.start(session, flow, {"n": 1}, types)
    texts = [
        "a\n",
        "b\nc\n",
        "",
        "\n",
        "no end",
        "x\u2028y\n",
        "nul\x00z\nq\n",
        "ünï\n\n",
        "a\\nb\\\n",
    ]
    steps = ["each[0]/x", "each[1]/x", "each[0]/x[2]/x", "each/y", "other"]
    said = [(step, text) for text in texts for step in steps]
    execute(
        session,
        *(ev.StepStarted(at=1.0, step=step, node="n", type="echo") for step in steps),
        *(ev.StepLog(at=1.1, step=step, stream="stdout", text=text) for step, text in said),
        ev.StepLog(at=1.2, step="other", stream="progress", text="50 %\n"),
        end=None,
    )

    def is_wanted(step: str) -> bool:
        return step in steps[:2]

    whole = [
        line
        for step, text in said
        if is_wanted(step)
        for line in text.removesuffix("\n").split("\n")
    ]
    for offset in range(len(whole) + 3):
        for limit in (0, 1, 2, 7, 100):
            lines, total = history.log_page(session, run_id, is_wanted, offset, limit)
            assert (lines, total) == (whole[offset : offset + limit], len(whole))
    assert history.log_page(session, run_id, lambda step: step == "none", 0, 9) == ([], 0)
    assert history.log_page(session, run_id, lambda step: step == "other", 0, 1)[1] == 12


@pytest.mark.parametrize(
    ("inputs", "options", "sentence"),
    [
        ({}, {}, "'n' is required"),
        ({"n": "x"}, {}, "'n' must be a whole number"),
        ({"n": 1, "m": 2}, {}, "no parameter 'm'"),
        ({"n": 1}, {"queue": "kernel:mine"}, "no queue name"),
        ({"n": 1}, {"queue": ""}, "no queue name"),
        ({"n": 1}, {"priority": 5_000}, "out of range"),
        ({"n": 1}, {"delay": -1.0}, "delay = -1.0 is out of range"),
        ({"n": 1}, {"delay": float("nan")}, "out of range"),
        ({"n": 1}, {"timeout": 0.0}, "timeout = 0.0 is out of range"),
        ({"n": 1}, {"budget": {"costs": 2}}, "no limit 'costs'"),
        ({"n": 1}, {"budget": {"cost": 0}}, "cost = 0 is no limit"),
        ({"n": 1}, {"budget": {"tokens": 1.5}}, "tokens = 1.5 is no limit"),
        ({"n": 1}, {"budget": {"calls": True}}, "calls = True is no limit"),
        ({"n": 1}, {"budget": {"calls": 10**400}}, "is no limit"),
        ({"n": 1}, {"budget": {"cost": float("nan")}}, "cost = nan is no limit"),
        ({"n": 1}, {"budget": 2}, "2 is no budget"),
        ({"n": 1}, {"delay": 1.0, "run_at": 1.0}, "either a moment or a delay"),
        ({"n": 1}, {"idempotency_key": ""}, "1 to 200 characters"),
    ],
)
def test_a_refusal_leaves_nothing_behind(session, types, inputs, options, sentence):
    with pytest.raises(InputError, match=sentence):
        runs.start(session, PATH, inputs, types, Options(**options))
    assert history.list_runs(session) == []


def test_a_flow_with_errors_is_refused(session, flow, types):
    broken = replace(flow, nodes={**flow.nodes, "late": Node("needy")})
    with pytest.raises(FlowError):
        runs.start(session, broken, {"n": 1}, types)
    assert history.list_runs(session) == []


def test_cell_nodes_run_in_their_kernel_only(session, flow, types):
    mine = replace(flow, nodes={**flow.nodes, "mine": Node("cell.mine")})
    with pytest.raises(FlowError, match="exists only in the notebook") as refusal:
        runs.start(session, mine, {"n": 1}, types)
    assert "promote" in refusal.value.remedy
    held = recording.start_interactive(session, mine, {"n": 1}, types)
    held.settle(Settlement(RunState.COMPLETED))


def test_the_same_key_gives_the_same_run(session, types):
    keyed = Options(idempotency_key="nightly")
    first = runs.start(session, PATH, {"n": 1}, types, keyed)
    assert runs.start(session, PATH, {"n": 1}, types, keyed) == first
    with pytest.raises(ConflictError, match="same key, different request") as refusal:
        runs.start(session, PATH, {"n": 2}, types, keyed)
    assert refusal.value.http_status == 409
    assert len(history.list_runs(session)) == 1


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        (lambda session, run_id: None, StepState.PENDING),
        (runs.cancel, StepState.CANCELLED),
    ],
)
def test_no_step_of_a_run_that_nobody_executes_is_running(session, types, end, shown):
    run_id = runs.start(session, PATH, {"n": 3}, types)
    claim = execute(
        session,
        ev.StepStarted(at=1.0, step="first", node="first", type="echo"),
        finished("first"),
        ev.StepStarted(at=3.0, step="second", node="second", type="echo"),
        end=None,
    )
    session.coordinator.settle(run_id, claim.fence, Settlement(RunState.QUEUED))
    end(session, run_id)
    steps = {step.step: step.state for step in history.get(session, run_id).steps}
    assert steps == {"first": StepState.COMPLETED, "second": shown}


def test_a_draft_is_visible_editable_and_queued_when_it_is_complete(session, types):
    run_id = runs.prepare(session, PATH, {"topic": "geese"})
    assert history.get(session, run_id).state is RunState.DRAFT
    assert session.coordinator.claim(OWNER, ["default"]) is None
    with pytest.raises(InputError, match="'n' is required"):
        runs.queue_draft(session, run_id, types)
    with pytest.raises(InputError, match="no parameter 'm'"):
        runs.edit_draft(session, run_id, {"m": 1})
    runs.edit_draft(session, run_id, {"n": 4}, Options(priority=3))
    runs.queue_draft(session, run_id, types)
    assert execute(session).inputs == {"n": 4, "topic": "ducks"}
    states = [e.state for _, e in history.events(session, run_id) if isinstance(e, ev.RunChanged)]
    assert states == ["draft", "queued", "claimed", "running", "completed"]
    with pytest.raises(ConflictError, match="only a draft"):
        runs.edit_draft(session, run_id, {"n": 5})
    with pytest.raises(ConflictError, match="no draft"):
        runs.queue_draft(session, run_id, types)


def test_a_budget_stays_with_a_run_through_edits_and_retries(session, types):
    budget = {"calls": 9, "cost": 2}
    old = runs.prepare(session, PATH, {}, Options(budget=budget))
    runs.edit_draft(session, old, {"n": 4})
    runs.queue_draft(session, old, types)
    limits = {"cost": 2.0, "calls": 9}
    assert execute(session, end=RunState.FAILED).budget == limits
    assert history.get(session, old).budget == limits
    runs.retry(session, old, types)
    assert execute(session).budget == limits
    assert execute_interactive(session, types).budget == {"tokens": 5}


def execute_interactive(session, types):
    """Return the claim of a run of this process."""
    held = recording.start_interactive(session, PATH, {"n": 1}, types, budget={"tokens": 5})
    held.settle(Settlement(RunState.COMPLETED))
    return held.claim


def test_the_order_of_limits_makes_no_other_request(session, types):
    keyed = [Options(idempotency_key="k", budget=budget) for budget in (
        {"cost": 2, "calls": 9}, {"calls": 9, "cost": 2.0}
    )]  # fmt: skip
    first, again = (runs.start(session, PATH, {"n": 1}, types, each) for each in keyed)
    assert first == again


def test_a_draft_can_be_thrown_away(session):
    run_id = runs.prepare(session, PATH, {})
    assert runs.cancel(session, run_id) is RunState.CANCELLED


def test_a_retry_replays_what_completed_before_the_failure(session, types):
    old = runs.start(session, PATH, {"n": 1}, types)
    with pytest.raises(ConflictError, match="only a run that has ended"):
        runs.retry(session, old, types)
    failed = finished("second", StepState.FAILED)
    execute(session, finished("first"), failed, finished("third"), end=RunState.FAILED)
    new = runs.retry(session, old, types)
    assert history.get(session, new).retry_of == old
    claim = execute(session)
    assert [step.step for step in claim.replay] == ["first"]  # `third` saw the failure
    assert claim.inputs == {"n": 1, "topic": "ducks"}


def test_a_retry_with_other_inputs_or_from_the_start_replays_nothing(session, types):
    old = runs.start(session, PATH, {"n": 1}, types)
    execute(session, finished("first"), end=RunState.FAILED)
    runs.retry(session, old, types, inputs={"n": 2})
    claim = execute(session)
    assert (claim.replay, claim.inputs["n"]) == ([], 2)
    runs.retry(session, old, types, from_start=True)
    assert execute(session).replay == []


def test_lists_are_filtered_and_paged(session, flow, types):
    ids = [runs.start(session, PATH, {"n": n}, types, Options(queue=f"q{n % 2}")) for n in range(6)]
    ids.sort(reverse=True)
    first = history.list_runs(session, limit=4)
    second = history.list_runs(session, limit=4, before=first[-1].id)
    assert [run.id for run in (*first, *second)] == ids
    runs.cancel(session, ids[0])
    assert [run.id for run in history.list_runs(session, states=[RunState.CANCELLED])] == ids[:1]
    assert len(history.list_runs(session, queue="q0")) == 3
    assert history.list_runs(session, flow="other.flow.json") == []
    with pytest.raises(InputError, match="out of range"):
        history.list_runs(session, limit=0)


def test_a_run_is_named_by_the_start_of_its_id(session, types):
    run_id = runs.start(session, PATH, {"n": 1}, types)
    assert history.get(session, run_id[:-3]).id == run_id
    with pytest.raises(NotFoundError, match="no run 'run_'"):
        history.get(session, "run_")


def test_following_ends_with_the_run_and_misses_nothing(session, types):
    run_id = runs.start(session, PATH, {"n": 1}, types)
    seen = []
    follower = threading.Thread(target=lambda: seen.extend(history.follow(session, run_id)))
    follower.start()
    execute(session, *(finished(step) for step in ("first", "second")))
    follower.join()
    assert seen == history.events(session, run_id)
    assert [seq for seq, _ in seen] == list(range(1, 7))
    assert list(history.follow(session, run_id, after=5)) == seen[5:]


def test_an_interactive_run_is_recorded_and_its_own(session, flow, types):
    live = object()
    open_flow = replace(flow, parameters={**flow.parameters, "table": {"type": "any"}})
    open_flow = replace(open_flow, nodes={**flow.nodes})
    held = recording.start_interactive(session, open_flow, {"n": 1, "table": live}, types)
    assert held.inputs["table"] is live
    assert history.get(session, held.id).inputs["table"] == {"<live>": "object"}
    assert session.coordinator.claim(OWNER, ["default"]) is None
    held.journal.append([finished("first")])
    assert not held.cancel_requested()
    runs.cancel(session, held.id)
    assert held.cancel_requested()
    held.settle(Settlement(RunState.CANCELLED))
    view = history.get(session, held.id)
    assert (view.state, [step.step for step in view.steps]) == (RunState.CANCELLED, ["first"])
    with pytest.raises(StaleFenceError):
        held.journal.append([finished("second")])
    with pytest.raises(InputError, match="'table' was a live object"):
        runs.retry(session, held.id, types)


def test_live_values_cannot_be_queued(session, flow, types):
    open_flow = replace(flow, parameters={**flow.parameters, "table": {"type": "any"}})
    with pytest.raises(InputError, match="'table' can't be queued"):
        runs.start(session, open_flow, {"n": 1, "table": object()}, types)


def notebook(path, source="limit: int = 1"):
    cell = {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}}
    cell |= {"source": source, "outputs": [], "execution_count": None}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    path.write_text(json.dumps(content))


def test_a_notebook_is_queued_as_a_flow_of_one_node(session, types, workspace):
    notebook(workspace / "report.ipynb")
    run_id = runs.start(session, "report.ipynb", {"limit": 5}, types)
    claim = execute(session)
    node = claim.definition["nodes"]["notebook"]
    snapshot = node["config"].pop("snapshot")
    assert node == {
        "type": "notebook",
        "config": {"path": "report.ipynb", "parameters": {"limit": 5}},
    }
    assert session.store.artifacts.get(snapshot) == (workspace / "report.ipynb").read_bytes()
    assert (history.get(session, run_id).flow, claim.source) == ("report.ipynb", "report.ipynb")
    runs.retry(session, run_id, types, inputs={"limit": 7})
    node = execute(session).definition["nodes"]["notebook"]
    assert node["config"]["parameters"] == {"limit": 7}


def test_a_notebook_that_cannot_be_used_is_refused(session, types, workspace):
    notebook(workspace / "report.ipynb")
    with pytest.raises(InputError):
        runs.start(session, "report.ipynb", {"limit": "many"}, types)
    with pytest.raises(NotFoundError):
        runs.start(session, "missing.ipynb", {}, types)
    (workspace / "bad.ipynb").write_text("{")
    with pytest.raises(NotebookError):
        runs.start(session, "bad.ipynb", {}, types)
    assert history.list_runs(session) == []


def snapshot_of(claim, session):
    return session.store.artifacts.get(claim.definition["nodes"]["notebook"]["config"]["snapshot"])


def test_a_run_keeps_its_notebook_as_it_was_and_a_retry_may_take_the_latest(
    session, types, workspace
):
    file = workspace / "report.ipynb"
    notebook(file, "limit: int = 1")
    first = file.read_bytes()
    run_id = runs.start(session, "report.ipynb", {}, types)
    notebook(file, "limit: int = 2")
    session.store.artifacts.collect()
    assert snapshot_of(execute(session, end=RunState.FAILED), session) == first
    runs.retry(session, run_id, types)
    assert snapshot_of(execute(session), session) == first
    runs.retry(session, run_id, types, latest=True)
    assert snapshot_of(execute(session), session) == file.read_bytes()


def test_a_run_keeps_nested_flow_files_as_they_were(session, types, workspace, flow):
    (workspace / "inner.flow.json").write_text(dump(Flow("inner", nodes={"a": Node("echo")})))
    outer = Flow("outer", nodes={"sub": Node("subflow", {"body": "inner.flow.json"})})
    (workspace / "outer.flow.json").write_text(dump(outer))
    runs.start(session, "outer.flow.json", {}, types)
    (workspace / "inner.flow.json").unlink()
    body = execute(session).definition["nodes"]["sub"]["config"]["body"]
    assert body["nodes"] == {"a": {"type": "echo"}}


def test_flow_files_that_name_each_other_are_refused(session, types, workspace):
    (workspace / "folder").mkdir()
    misled = Flow("misled", nodes={"sub": Node("subflow", {"body": "folder"})})
    with pytest.raises(InputError, match="can't be read"):
        runs.start(session, misled, {}, types)
    endless = Flow("endless", nodes={"sub": Node("subflow", {"body": "endless.flow.json"})})
    (workspace / "endless.flow.json").write_text(dump(endless))
    with pytest.raises(FlowError, match="name each other"):
        runs.start(session, "endless.flow.json", {}, types)
