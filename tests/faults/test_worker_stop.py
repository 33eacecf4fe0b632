"""Cancelling and stopping: what is recorded is true, and no process is left behind."""

from __future__ import annotations

import signal

import pytest

from iaiflow_lab.model.run import RunState
from iaiflow_lab.service import runs
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.supervisor import STOPPING

pytestmark = [pytest.mark.fault, pytest.mark.slow]


def test_an_obedient_node_is_cancelled_and_its_worker_lives_on(make_site, diamond):
    site = make_site(lease_s=600.0)
    run_id = site.start_node("probe.obedient")
    site.supervise()
    call = site.until(lambda: site.calls(run_id), "The call")[0]
    assert runs.cancel(site.session, run_id) is RunState.RUNNING
    assert site.ended(run_id).state is RunState.CANCELLED
    following = site.start(diamond)
    assert site.ended(following).state is RunState.COMPLETED
    assert site.calls(following)[0].pid == call.pid


@pytest.mark.parametrize("node_type", ["probe.stubborn", "probe.greedy"])
def test_a_node_that_does_not_listen_is_cancelled_with_its_process(make_site, is_gone, node_type):
    site = make_site(lease_s=600.0)
    run_id = site.start_node(node_type)
    site.supervise(cancel_grace_s=0.5, end_s=0.2)
    call = site.until(lambda: site.calls(run_id), "The call")[0]
    runs.cancel(site.session, run_id)
    assert site.ended(run_id).state is RunState.CANCELLED
    assert is_gone(call.pid)


def test_a_run_that_takes_too_long_fails(make_site, is_gone):
    site = make_site(lease_s=600.0)
    run_id = site.start_node("probe.obedient", timeout=0.2)
    site.supervise()
    run = site.ended(run_id)
    assert run.state is RunState.FAILED
    assert run.error.code == "run-timeout"


def test_a_draining_crew_empties_the_queue_and_ends(make_site, diamond):
    site = make_site(lease_s=600.0)
    started = [site.start(diamond) for _ in range(3)]
    crew = site.command("worker", "--drain", "--concurrency", "2")
    assert crew.wait(timeout=60) == 0
    assert {site.state(run_id) for run_id in started} == {RunState.COMPLETED}


def test_sigterm_lets_the_run_end_and_claims_no_other(make_site, diamond):
    site = make_site(lease_s=600.0)
    gated = diamond | {"nodes": diamond["nodes"] | {"b": {"type": "probe.gate"}}}
    first, second = site.start(gated), site.start(diamond)
    crew = site.command("worker")
    site.until(lambda: {"a", "b"} <= {call.step for call in site.calls(first)}, "The gate")
    crew.send_signal(signal.SIGTERM)
    site.until(lambda: STOPPING[1] in site.log(), "The request")
    (site.folder / "open").touch()
    assert crew.wait(timeout=60) == 0
    assert site.state(first) is RunState.COMPLETED
    assert site.state(second) is RunState.QUEUED


def test_a_run_that_outlives_the_grace_is_given_back(make_site):
    site = make_site(lease_s=600.0)
    nodes = {"a": {"type": "probe.step"}, "b": {"type": "probe.obedient"}}
    flow = {"format": "iaiflow/1", "name": "Long", "nodes": nodes, "edges": []}
    run_id = site.start(flow)
    crew = site.command("worker", "--grace", "0.2")
    site.until(lambda: site.outcomes(run_id) and len(site.calls(run_id)) == 2, "Both calls")
    crew.send_signal(signal.SIGTERM)
    assert crew.wait(timeout=60) == 0
    run = site.run(run_id)
    assert run.state is RunState.QUEUED
    assert run.attempt == 1, "given back is not crashed"
    assert [outcome.step for outcome in site.outcomes(run_id)] == ["a"]


def test_a_worker_for_one_run_leaves_the_others(make_site, diamond):
    site = make_site(lease_s=600.0)
    other, wanted = site.start(diamond), site.start(diamond)
    site.supervise(Duty(run_id=wanted))
    assert site.ended(wanted).state is RunState.COMPLETED
    assert site.state(other) is RunState.QUEUED
