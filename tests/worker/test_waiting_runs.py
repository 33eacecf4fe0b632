"""Runs that wait, from a claim over days to their end."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from iaiflow_lab.errors import ConflictError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.run import RunState, WaitKind
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, runs, waits
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.execute import execute_run
from iaiflow_lab.worker.loop import work
from iaiflow_lab.worker.stop import Stop

NODES = """
from typing import Any
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.ask", effects="read")
async def ask(ctx: Context, value: Any = None, *, form: dict[str, Any] | None = None) -> Any:
    answer = await ctx.awaits("ok", "approval", message="Ship it?", form=form)
    return [str(answer.outcome), answer.value, answer.by, answer.reason]


@node("toy.hear", effects="read")
def hear(ctx: Context, value: Any = None, *, name: str = "go") -> Any:
    return ctx.wait("heard", "signal", name=name).value


@node("toy.sleep", effects="read")
async def sleep(ctx: Context, value: Any = None, *, days: float = 30) -> Any:
    await ctx.awaits("slept", "delay", due=ctx.now() + days * 86_400)
    return "awake"


@node("toy.note", effects="read")
def note(ctx: Context, value: Any = None) -> Any:
    with (ctx.workspace / "notes.txt").open("a") as out:
        out.write(f"{ctx.run_id} {ctx.step}\\n")
    return value
"""


@pytest.fixture
def workspace_with_nodes(workspace: Path) -> Path:
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "toys.py").write_text(NODES)
    return workspace


@pytest.fixture
def session(workspace_with_nodes):
    with open_session(workspace_with_nodes) as opened:
        yield opened


def start(session, nodes, *edges, **options):
    flow = from_data({"format": "iaiflow/1", "name": "F", "nodes": nodes, "edges": list(edges)})
    return runs.start(session, flow, {}, load_catalog(session.workspace), runs.Options(**options))


def drain(session):
    """Execute everything that is due."""
    owner = owner_name("worker", session.world.ids)
    duty = Duty(("default",), drain=True)
    assert work(session.coordinator, session.world, owner, duty, Stop()) == 0


def test_an_approval_after_a_full_restart(workspace_with_nodes):
    nodes = {"before": {"type": "toy.note"}, "ask": {"type": "toy.ask"},
             "after": {"type": "toy.note"}}  # fmt: skip
    with open_session(workspace_with_nodes) as session:
        run_id = start(session, nodes, "before.out -> ask.value", "ask.out -> after.value")
        drain(session)
        run = history.get(session, run_id)
        assert run.state is RunState.WAITING
        (wait,) = run.waits
        assert (wait.step, wait.kind, wait.message) == ("ask", WaitKind.APPROVAL, "Ship it?")
        assert [step.state for step in run.steps] == ["completed", "waiting"]
        assert history.list_runs(session)[0].waits == [wait]
    with open_session(workspace_with_nodes) as session:
        waits.approve(session, run_id, by="anna", value={"n": 1}, reason="Looks right.")
        assert history.get(session, run_id).state is RunState.QUEUED
    with open_session(workspace_with_nodes) as session:
        drain(session)
        run = history.get(session, run_id)
        assert (run.state, run.attempt) == (RunState.COMPLETED, 1)
        assert run.outputs["after"].inline == ["approved", {"n": 1}, "anna", "Looks right."]
        assert (run.waits[0].outcome, run.waits[0].by) == ("approved", "anna")
        with pytest.raises(ConflictError, match="completed already"):
            waits.approve(session, run_id)
    noted = (workspace_with_nodes / "notes.txt").read_text().split()[1::2]
    assert noted == ["before", "after"]


def test_a_delay_of_thirty_days(workspace_with_nodes, simulate):
    made = simulate(3)
    with open_session(workspace_with_nodes, made.world) as session:
        run_id = start(session, {"sleep": {"type": "toy.sleep"}})
        drain(session)
        assert history.get(session, run_id).state is RunState.WAITING
        made.clock.advance(30 * 86_400 - 2)
        drain(session)
        assert history.get(session, run_id).state is RunState.WAITING
        made.clock.advance(2)
        drain(session)
        run = history.get(session, run_id)
        assert run.outputs["sleep"].inline == "awake"
        assert run.waits[0].outcome == "due"


def test_an_early_signal_lets_a_run_go_through_without_parking(session):
    run_id = start(session, {"hear": {"type": "toy.hear"}})
    assert waits.signal(session, run_id, "go", [1, 2]).step == ""
    assert waits.signal(session, run_id, "go", [3], dedupe="x").step == ""
    assert waits.signal(session, run_id, "go", [4], dedupe="x").known
    drain(session)
    run = history.get(session, run_id)
    assert run.outputs["hear"].inline == [1, 2]
    states = [e.state for _, e in history.events(session, run_id) if isinstance(e, ev.RunChanged)]
    assert "waiting" not in states


def test_an_answer_wakes_a_worker_that_executes_the_rest(session):
    """The step that waits is answered live while another one runs."""
    nodes = {"hear": {"type": "toy.hear"}, "ask": {"type": "toy.hear", "config": {"name": "x"}}}
    run_id = start(session, nodes)
    claim = session.coordinator.claim(owner_name("worker", session.world.ids), ["default"])
    thread = threading.Thread(
        target=execute_run, args=(claim, session.coordinator, session.world, Stop())
    )
    thread.start()
    thread.join(60)
    assert history.get(session, run_id).state is RunState.WAITING
    waits.signal(session, run_id, "x", "first")
    drain(session)
    run = history.get(session, run_id)
    assert run.state is RunState.WAITING
    assert {step.step: step.state for step in run.steps} == {"ask": "completed", "hear": "waiting"}
    waits.answer(session, run_id, "hear", "second")
    drain(session)
    assert history.get(session, run_id).outputs["hear"].inline == "second"


def test_a_cancelled_run_no_longer_waits(session):
    run_id = start(session, {"ask": {"type": "toy.ask"}})
    drain(session)
    assert runs.cancel(session, run_id) is RunState.CANCELLED
    run = history.get(session, run_id)
    assert [step.state for step in run.steps] == ["cancelled"]
    assert run.waits == []


@pytest.mark.slow
def test_many_parked_runs_hold_no_process_and_each_is_woken_by_its_own_answer(session, soak):
    count = soak(200, 1_000)
    before = len(psutil.Process().children(recursive=True)), threading.active_count()
    ids = [start(session, {"hear": {"type": "toy.hear"}}) for _ in range(count)]
    drain(session)
    listed = history.list_runs(session, states=[RunState.WAITING], limit=count)
    assert {run.id for run in listed} == set(ids)
    assert {run.waits[0].name for run in listed} == {"go"}
    assert len(psutil.Process().children(recursive=True)) == before[0]
    with session.store.db.read() as reader:
        assert reader.all("held") == []
    for number, run_id in enumerate(ids):
        waits.signal(session, run_id, "go", number)
    drain(session)
    given = [history.get(session, run_id).outputs["hear"].inline for run_id in ids]
    assert given == list(range(count))
