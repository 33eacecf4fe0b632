from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import open_session, runs, servers, telemetry
from iaiflow_lab.store.queries import QUERIES

OWNER = "worker:elsewhere:1:1:x"
FLOW = Flow("One", nodes={"a": Node("echo")})


@pytest.fixture
def simulated(workspace, simulate):
    """Return a session whose clock the test moves, and that clock."""
    made = simulate(1)
    with open_session(workspace, made.world) as opened:
        yield opened, made.clock


def scraped(session):
    """Return every sample as Prometheus reads it, by name and the values of its labels."""
    families = text_string_to_metric_families(telemetry.metrics_text(session))
    return {
        (
            sample.name.removeprefix("iaiflow_"),
            *map(sample.labels.get, sorted(sample.labels)),
        ): sample.value
        for family in families
        for sample in family.samples
    }


def execute(session, clock, seconds, *steps):
    run_id = runs.start(session, FLOW, {}, Signatures())
    claim = session.coordinator.claim(OWNER, ["default"], run_id)
    session.coordinator.start(run_id, claim.fence)
    clock.advance(seconds)
    session.coordinator.append(run_id, claim.fence, steps)
    session.coordinator.settle(run_id, claim.fence, Settlement(RunState.COMPLETED))


class Signatures:
    def signature(self, _):
        from iaiflow_lab.model.signature import NodeSignature

        return NodeSignature(
            "echo", 1, "Test", "Echo", "Echo.", "Echo.", (), (), {"type": "object"}
        )


def step(name, seconds, state=StepState.COMPLETED):
    usage = ev.Usage(duration_s=seconds)
    return ev.StepFinished(at=1.0, step=name, node=name, type="echo", state=state, usage=usage)


def test_an_empty_workspace_has_every_state_at_zero(session):
    found = scraped(session)
    assert all(found["runs", state.value] == 0 for state in RunState)
    assert all(found["steps", state.value] == 0 for state in StepState)
    assert found["database_bytes",] > 0
    assert found["warm_kernels_ready",] == 0


def test_runs_steps_and_queues_are_counted(simulated):
    session, clock = simulated
    execute(session, clock, 3, step("a", 0.05), step("b", 7), step("c", 99_999, StepState.FAILED))
    execute(session, clock, 100)
    runs.start(session, FLOW, {}, Signatures(), runs.Options(queue="gpu"))
    runs.start(session, FLOW, {}, Signatures(), runs.Options(delay=1_000))
    clock.advance(60)
    found = scraped(session)
    assert (found["runs", "completed"], found["runs", "queued"]) == (2, 2)
    assert (found["queue_depth", "gpu"], found["queue_oldest_seconds", "gpu"]) == (1, 60)
    assert ("queue_depth", "default") not in found
    took = [
        found["run_duration_seconds_bucket", end, "completed"] for end in ("1.0", "5.0", "+Inf")
    ]
    assert took == [0, 1, 2]
    assert found["run_duration_seconds_sum", "completed"] == 103
    assert (found["steps", "completed"], found["steps", "failed"]) == (2, 1)
    bounds = [str(bound) for bound in telemetry.BOUNDS] + ["+Inf"]
    took = [found["step_duration_seconds_bucket", end, "echo"] for end in bounds]
    assert took == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3]


def test_every_bound_is_that_of_the_statements():
    for name in ("spread_runs", "spread_steps", "spread_lateness"):
        for number, bound in enumerate(telemetry.BOUNDS):
            assert f"<= {bound:g} THEN {number}" in " ".join(QUERIES[name].split())


def test_servers_are_counted_while_they_serve(session):
    owner = servers.register(session, "serve")
    assert scraped(session)["servers", "serve"] == 1
    servers.leave(session, owner)
    assert scraped(session)["servers", "serve"] == 0


def test_nothing_is_left_in_the_registry_of_the_process(session):
    before = list(REGISTRY.collect())
    telemetry.metrics_text(session)
    assert [f.name for f in REGISTRY.collect()] == [f.name for f in before]
