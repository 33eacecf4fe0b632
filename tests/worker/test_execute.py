"""From a claim to a settled run, in this process."""

from __future__ import annotations

from threading import Thread

import pytest
from harness import LIMITS
from msgspec import structs

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, runs
from iaiflow_lab.service.runs import Options
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.execute import Ending, execute_run
from iaiflow_lab.worker.loop import work
from iaiflow_lab.worker.stop import Stop

NODES = """
import time
from pathlib import Path
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.add", effects="read")
def add(number: float) -> float:
    return number + 1


@node("toy.wait", effects="read")
def wait(ctx: Context) -> None:
    (ctx.workspace / "waiting").touch()
    while not ctx.cancelled:
        time.sleep(0.002)


@node("toy.fail", effects="read")
def fail() -> None:
    raise ValueError("no luck")
"""


@pytest.fixture
def session(workspace):
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "toys.py").write_text(NODES)
    with open_session(workspace) as opened:
        yield opened


@pytest.fixture
def start(session):
    def make(node, **options):
        flow = from_data({"format": "iaiflow/1", "name": "One", "nodes": {"a": node}})
        types = load_catalog(session.workspace)
        return runs.start(session, flow, {}, types, Options(**options))

    return make


@pytest.fixture
def claim(session):
    def take():
        owner = owner_name("worker", session.world.ids)
        taken = session.coordinator.claim(owner, ["default"])
        assert taken is not None
        return taken

    return take


def execute(session, claim, stop=None):
    return execute_run(claim, session.coordinator, session.world, stop or Stop())


def until_waiting(session):
    while not (session.workspace / "waiting").exists():
        session.world.clock.sleep(0.002)


def test_outputs_and_environment_are_recorded(session, start, claim):
    run_id = start({"type": "toy.add", "config": {"number": 2}})
    assert execute(session, claim()) is Ending.SETTLED
    run = history.get(session, run_id)
    assert run.state is RunState.COMPLETED
    assert run.outputs["a"].inline == 3
    events = [event for _, event in history.events(session, run_id)]
    (environment,) = [e for e in events if isinstance(e, ev.EnvironmentRecorded)]
    assert environment.facts["packages"]["iaiflow-lab"]


def test_a_node_type_that_is_gone_fails_the_run_with_a_sentence(session, start, claim):
    run_id = start({"type": "toy.add", "config": {"number": 2}})
    (session.workspace / "flow_nodes" / "toys.py").unlink()
    assert execute(session, claim()) is Ending.SETTLED
    run = history.get(session, run_id)
    assert run.state is RunState.FAILED
    assert "toy.add" in run.error.message
    assert "Traceback" not in run.error.message


def test_a_run_that_somebody_else_holds_is_left_alone(session, start, claim):
    run_id = start({"type": "toy.wait"})
    first = claim()
    endings = []
    thread = Thread(target=lambda: endings.append(execute(session, first)))
    thread.start()
    until_waiting(session)
    with session.store.db.read() as reader:
        owner = reader.one("run_by_id", (session.project, run_id))["owner"]
    session.coordinator.release(owner, "it was taken for dead")
    second = claim()
    assert second.fence > first.fence
    runs.cancel(session, run_id)  # also seen by the first, whose end is refused
    thread.join(60)
    assert endings == [Ending.LOST]
    with session.store.db.read() as reader:
        assert reader.one("run_by_id", (session.project, run_id))["fence"] == second.fence


def test_a_long_backoff_frees_the_worker(session, start, claim):
    retry = {"attempts": 2, "initial": 60.0}
    run_id = start({"type": "toy.fail", "retry": retry})
    assert execute(session, claim()) is Ending.SETTLED
    run = history.get(session, run_id)
    assert run.state is RunState.RETRYING
    assert run.run_at > session.world.clock.now() + 30


def test_a_run_is_given_back_on_demand(session, start, claim):
    run_id = start({"type": "toy.wait"})
    stop = Stop()
    taken = claim()
    endings = []
    thread = Thread(target=lambda: endings.append(execute(session, taken, stop)))
    thread.start()
    until_waiting(session)
    stop.ask()
    stop.ask()
    thread.join(60)
    assert endings == [Ending.SETTLED]
    run = history.get(session, run_id)
    assert (run.state, run.attempt) == (RunState.QUEUED, 1)
    assert run.steps[0].source is None, "nothing was recorded for good"


@pytest.mark.slow
def test_a_timeout_is_a_failure_with_its_own_code(session, start, claim):
    for limit in LIMITS:
        run_id = start({"type": "toy.wait"}, timeout=limit)
        execute(session, claim())
        run = history.get(session, run_id)
        assert (run.state, run.error.code) == (RunState.FAILED, "run-timeout")
        if run.steps:
            break
    assert run.error.message == f"The run took longer than its limit of {limit:g} s."
    assert run.steps[0].reason == run.error.message


def test_the_limit_of_a_run_counts_what_earlier_claims_executed(session, start, claim):
    run_id = start({"type": "toy.wait"}, timeout=600.0)
    resumed = structs.replace(claim(), elapsed=600.0)
    execute(session, resumed)
    assert history.get(session, run_id).error.code == "run-timeout"


def test_an_idle_worker_sees_a_new_run_and_a_request_to_end(session, start):
    stop = Stop()
    owner = owner_name("worker", session.world.ids)
    statuses = []
    duty = Duty(("default",))
    loop = Thread(
        target=lambda: statuses.append(work(session.coordinator, session.world, owner, duty, stop))
    )
    loop.start()
    run_id = start({"type": "toy.add", "config": {"number": 2}})
    for _, event in history.follow(session, run_id):
        last = event
    assert last.state is RunState.COMPLETED
    stop.ask()
    loop.join(60)
    assert statuses == [0]


def test_a_draining_worker_ends_when_nothing_is_due(session, start):
    ready = start({"type": "toy.add", "config": {"number": 2}})
    later = start({"type": "toy.add", "config": {"number": 2}}, delay=600)
    owner = owner_name("worker", session.world.ids)
    assert (
        work(session.coordinator, session.world, owner, Duty(("default",), drain=True), Stop()) == 0
    )
    assert history.get(session, ready).state is RunState.COMPLETED
    assert history.get(session, later).state is RunState.QUEUED
