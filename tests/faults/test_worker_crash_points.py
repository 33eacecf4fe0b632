"""A worker crashes at each named point; the next one finishes its run."""

from __future__ import annotations

import pytest

from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS, POINTS
from iaiflow_lab.model.run import RunState

pytestmark = [pytest.mark.fault, pytest.mark.slow]

FLOW = {
    "format": "iaiflow/1",
    "name": "Crashes",
    "nodes": {"a": {"type": "probe.step"}, "b": {"type": "probe.big"}, "c": {"type": "probe.step"}},
    "edges": ["a.out -> b.before", "a.out -> c.before"],
}
ELSEWHERE = ("signal.", "fire.", "notify.", "remove.", "collect.")
ARRIVALS = [(point, 1) for point in POINTS if not point.startswith(ELSEWHERE)]
ARRIVALS += [(point, 2) for point in ("append.before_commit", "append.after_commit")]
ARRIVALS += [(point, 3) for point in ("step.before_call", "step.after_call")]


@pytest.mark.parametrize(("point", "arrival"), ARRIVALS)
def test_a_crash_at_any_point_loses_nothing(make_site, point, arrival):
    site = make_site(lease_s=600.0, durability="sync")
    run_id = site.start(FLOW)
    assert site.work(**{CRASH_AT: f"{point}:{arrival}"}) == CRASH_STATUS
    site.session.coordinator.sweep()
    assert site.work() == 0
    run = site.run(run_id)
    assert run.state is RunState.COMPLETED
    assert {step.step for step in run.steps} == set("abc")
    site.check_promise(run_id)
